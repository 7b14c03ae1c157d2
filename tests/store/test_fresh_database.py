"""The databases that the other tests of the store are given."""

from laurels.store.embedded import EmbeddedServer, run_sql
from tests.postgres import drop_database, fresh_database

SCHEMA = "create table member (id text primary key); insert into member values ('m-1')"


def test_fresh_databases_have_the_schema_and_know_nothing_of_each_other(server: EmbeddedServer) -> None:
    first, second = (fresh_database(server, SCHEMA).partition("?")[0].rpartition("/")[2] for _ in range(2))
    run_sql(server, "insert into member values ('m-2')", database=first)
    assert run_sql(server, "select count(*) from member", database=first) == "2"
    assert run_sql(server, "select count(*) from member", database=second) == "1"
    for name in (first, second):
        drop_database(server, server.database_url(name))
    assert run_sql(server, f"select count(*) from pg_database where datname in ('{first}', '{second}')") == "0"


def test_database_of_a_test_is_empty(server: EmbeddedServer, database_url: str) -> None:
    name = database_url.partition("?")[0].rpartition("/")[2]
    assert (
        run_sql(server, "select count(*) from pg_class where relnamespace = 'public'::regnamespace", database=name)
        == "0"
    )
