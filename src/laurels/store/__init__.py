"""PostgreSQL: the schema, its migrations, the named queries, and the embedded server."""
