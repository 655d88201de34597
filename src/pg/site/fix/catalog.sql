-- Everything in schema $1 that a fix may change: what it is called, and its definition as an object. Latclinic's own
-- ledgers and what extensions own are left out. Definitions are printed for the path $2, which is set for all that follows
-- from the schema's row, when its names are resolved. Holds for PostgreSQL 14 to 18.
WITH printed AS MATERIALIZED (
    SELECT set_config('search_path', $2, true)
), space AS MATERIALIZED (
    SELECT oid, nspowner, nspacl FROM printed, pg_namespace WHERE nspname = $1
), relation AS (
    SELECT c.* FROM pg_class c JOIN space ON space.oid = c.relnamespace
    WHERE c.relkind <> 't'
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
      AND NOT EXISTS (
          -- A ledger, its indexes and its sequences.
          SELECT FROM pg_class ledger
          WHERE ledger.relnamespace = c.relnamespace AND ledger.relname LIKE '\_latclinic\_%' AND ledger.relkind = 'r'
            AND (ledger.oid = c.oid
                 OR ledger.oid IN (SELECT indrelid FROM pg_index WHERE indexrelid = c.oid)
                 OR ledger.oid IN (SELECT refobjid FROM pg_depend
                                   WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i'))))
), definition (what, of) AS (
    SELECT 'schema', jsonb_build_object('owner', nspowner::regrole,
        'grants', (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) g))
    FROM space

    UNION ALL SELECT
        CASE c.relkind WHEN 'i' THEN 'index ' WHEN 'I' THEN 'index ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
            WHEN 'm' THEN 'materialized view ' WHEN 'c' THEN 'type ' WHEN 'f' THEN 'foreign table ' ELSE 'table ' END || c.relname::text,
        jsonb_strip_nulls(jsonb_build_object(
            'kind', c.relkind, 'persistence', c.relpersistence, 'owner', c.relowner::regrole,
            'access method', (SELECT amname FROM pg_am WHERE oid = c.relam),
            'tablespace', nullif(c.reltablespace, 0)::text,
            'options', (SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) o),
            'TOAST options', (SELECT array_agg(o ORDER BY o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid),
            'row security', c.relrowsecurity, 'forced row security', c.relforcerowsecurity,
            'replica identity', c.relreplident,
            'partition by', CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END,
            'partition for', pg_get_expr(c.relpartbound, c.oid),
            'parents', (SELECT array_agg(format('%s%s', inhparent::regclass, CASE WHEN inhdetachpending THEN ' (being detached)' END)
                                         ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid),
            'disabled triggers of constraints', (SELECT nullif(count(*), 0) FROM pg_trigger
                                                 WHERE tgrelid = c.oid AND tgisinternal AND tgenabled <> 'O'),
            'grants', CASE WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') THEN (
                SELECT array_agg(g::text ORDER BY g::text) FROM unnest(coalesce(c.relacl,
                    acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner))) g) END,
            'comment', obj_description(c.oid, 'pg_class'))
        || coalesce((
            SELECT jsonb_build_object('definition', pg_get_indexdef(c.oid), 'valid', indisvalid, 'ready', indisready,
                'live', indislive, 'clustered on', indisclustered, 'replica identity', indisreplident,
                'statistics targets', (SELECT array_agg(coalesce(attstattarget::int, -1) ORDER BY attnum)
                                       FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0))
            FROM pg_index WHERE indexrelid = c.oid), '{}')
        || CASE WHEN c.relkind IN ('v', 'm') THEN jsonb_build_object('definition', pg_get_viewdef(c.oid)) ELSE '{}' END
        || coalesce((
            SELECT jsonb_build_object('type', format_type(seqtypid, NULL), 'start', seqstart, 'increment', seqincrement,
                'minimum', seqmin, 'maximum', seqmax, 'cache', seqcache, 'cycle', seqcycle,
                'owner', (SELECT array_agg(format('%s.%s', refobjid::regclass, attname) ORDER BY 1)
                          FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                          WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i')))
            FROM pg_sequence WHERE seqrelid = c.oid), '{}'))
    FROM relation c

    -- Its number tells a column that was dropped and made again, whose values are lost.
    UNION ALL SELECT format('column %s.%s', c.relname, a.attname), jsonb_strip_nulls(jsonb_build_object(
        'type', format_type(a.atttypid, a.atttypmod), 'number', a.attnum,
        'collation', (SELECT format('%I.%I', collnamespace::regnamespace, collname) FROM pg_collation WHERE oid = a.attcollation),
        'not null', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid), 'identity', a.attidentity,
        'generated', a.attgenerated, 'storage', a.attstorage, 'compression', a.attcompression,
        'statistics target', coalesce(a.attstattarget::int, -1),
        'options', (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o),
        'its own', a.attislocal, 'inherited', a.attinhcount,
        'grants', (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(a.attacl) g),
        'comment', col_description(c.oid, a.attnum)))
    FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'p', 'f', 'm', 'c')

    UNION ALL SELECT format('constraint %s of %s', k.conname, coalesce(c.relname, k.contypid::regtype::text)),
        jsonb_strip_nulls(jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated,
            'its own', k.conislocal, 'inherited', k.coninhcount, 'comment', obj_description(k.oid, 'pg_constraint')))
    FROM pg_constraint k JOIN space ON space.oid = k.connamespace
    LEFT JOIN relation c ON c.oid = k.conrelid
    WHERE c.oid IS NOT NULL OR k.contypid <> 0

    UNION ALL SELECT format('trigger %s of %s', t.tgname, c.relname),
        jsonb_strip_nulls(jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'enabled', t.tgenabled,
            'comment', obj_description(t.oid, 'pg_trigger')))
    FROM pg_trigger t JOIN relation c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal

    UNION ALL SELECT format('rule %s of %s', r.rulename, c.relname),
        jsonb_strip_nulls(jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled,
            'comment', obj_description(r.oid, 'pg_rewrite')))
    FROM pg_rewrite r JOIN relation c ON c.oid = r.ev_class WHERE r.rulename <> '_RETURN'

    UNION ALL SELECT format('policy %s of %s', p.polname, c.relname), jsonb_strip_nulls(jsonb_build_object(
        'command', p.polcmd, 'permissive', p.polpermissive,
        'roles', (SELECT array_agg(CASE r WHEN 0 THEN 'public' ELSE r::regrole::text END ORDER BY 1) FROM unnest(p.polroles) r),
        'using', pg_get_expr(p.polqual, p.polrelid), 'with check', pg_get_expr(p.polwithcheck, p.polrelid),
        'comment', obj_description(p.oid, 'pg_policy')))
    FROM pg_policy p JOIN relation c ON c.oid = p.polrelid

    UNION ALL SELECT format('statistics %s', s.stxname), jsonb_strip_nulls(jsonb_build_object(
        'definition', pg_get_statisticsobjdef(s.oid), 'owner', s.stxowner::regrole,
        -- A column that some versions lack, and that others have null, for the default.
        'target', coalesce((to_jsonb(s) ->> 'stxstattarget')::int, -1), 'comment', obj_description(s.oid, 'pg_statistic_ext')))
    FROM pg_statistic_ext s JOIN space ON space.oid = s.stxnamespace

    UNION ALL SELECT format('function %s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
        jsonb_strip_nulls(jsonb_build_object(
            'definition', CASE p.prokind WHEN 'a' THEN (SELECT to_jsonb(a)::text FROM pg_aggregate a WHERE a.aggfnoid = p.oid)
                ELSE pg_get_functiondef(p.oid) END,
            'owner', p.proowner::regrole,
            'grants', (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) g),
            'comment', obj_description(p.oid, 'pg_proc')))
    FROM pg_proc p JOIN space ON space.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))

    UNION ALL SELECT format('type %s', t.typname), jsonb_strip_nulls(jsonb_build_object(
        'kind', t.typtype, 'owner', t.typowner::regrole,
        'labels', (SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
        'base', CASE WHEN t.typbasetype <> 0 THEN format_type(t.typbasetype, t.typtypmod) END,
        'not null', t.typnotnull, 'default', t.typdefault,
        'range of', (SELECT format_type(rngsubtype, NULL) FROM pg_range WHERE rngtypid = t.oid),
        'grants', (SELECT array_agg(g::text ORDER BY g::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) g),
        'comment', obj_description(t.oid, 'pg_type')))
    FROM pg_type t JOIN space ON space.oid = t.typnamespace
    WHERE t.typrelid = 0
      -- Arrays, multiranges and what extensions own go with what they belong to.
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype IN ('e', 'i'))

    -- Whatever else lives in a schema: that it is there.
    UNION ALL SELECT format('%s %s', i.type, i.identity), '{}'
    FROM space JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = space.oid,
        pg_identify_object(d.classid, d.objid, d.objsubid) i
    WHERE d.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_constraint'::regclass,
                            'pg_statistic_ext'::regclass)
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
)
SELECT what, of FROM definition ORDER BY what COLLATE "C"
