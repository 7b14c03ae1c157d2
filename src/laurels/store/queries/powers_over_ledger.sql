-- Who may step into a role may do what that role may: a login is no safer than the mightiest role in its reach.
with reach as (
  select oid, rolsuper from pg_roles where pg_has_role(session_user, oid, 'set') or pg_has_role(session_user, oid, 'usage')
)
select
  session_user::text as login,
  (select bool_or(rolsuper) from reach) as is_superuser,
  array(
    select ledger.relname::text
    from pg_class ledger
    where ledger.relnamespace = 'laurels'::regnamespace
      and ledger.relname in ('activity', 'entry', 'program_version', 'pool_correction')
      and exists (
        select from reach
        where pg_has_role(reach.oid, ledger.relowner, 'usage')
          or has_table_privilege(reach.oid, ledger.oid, 'update, delete, truncate')
          or has_any_column_privilege(reach.oid, ledger.oid, 'update')
      )
    order by 1
  ) as tables
