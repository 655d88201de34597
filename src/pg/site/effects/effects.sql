-- What a statement may do that its words do not show. Its names are $1 to $9, see mod.rs; the search path has to be pg_catalog alone.
WITH RECURSIVE asked (schema, name, use) AS (
    SELECT n.*, 'read' FROM unnest($1::text[], $2::text[]) AS n
    UNION SELECT n.*, 'written' FROM unnest($3::text[], $4::text[]) AS n
    UNION SELECT n.*, 'copied' FROM unnest($5::text[], $6::text[]) AS n
), reached (oid, use) AS (
    SELECT found.oid, asked.use FROM asked CROSS JOIN LATERAL (
        SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = asked.name AND (n.nspname = asked.schema OR asked.schema IS NULL AND n.nspname = ANY ($10::text[]))
        ORDER BY array_position($10, n.nspname::text) LIMIT 1
    ) AS found
    UNION
    SELECT more.* FROM reached CROSS JOIN LATERAL (
        -- What a view reads, and what a rule does instead.
        SELECT found[1]::oid, CASE reached.use WHEN 'written' THEN 'written' ELSE 'read' END
        FROM pg_rewrite r CROSS JOIN LATERAL regexp_matches(r.ev_action::text, ':relid (\d+)', 'g') AS found
        WHERE r.ev_class = reached.oid AND (r.ev_type = '1' OR reached.use = 'written')
        -- Where rows go.
        UNION ALL SELECT inhrelid, 'written' FROM pg_inherits WHERE inhparent = reached.oid AND reached.use = 'written'
        UNION ALL SELECT conrelid, 'written' FROM pg_constraint
        WHERE confrelid = reached.oid AND contype = 'f' AND reached.use = 'written'
            AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
    ) AS more
), types (oid, is_named) AS (
    SELECT a.atttypid, false FROM reached JOIN pg_attribute a ON a.attrelid = reached.oid WHERE a.attnum > 0
    UNION SELECT t.oid, true FROM asked JOIN pg_type t ON t.typname = asked.name
), expressions (relation, tree, draws) AS (
    SELECT reached.oid, concat(r.ev_action::text, r.ev_qual::text), false FROM reached JOIN pg_rewrite r ON r.ev_class = reached.oid
    WHERE r.ev_type = '1' OR use = 'written'
    UNION ALL SELECT reached.oid, concat(p.polqual::text, p.polwithcheck::text), false
    FROM reached JOIN pg_policy p ON p.polrelid = reached.oid
    UNION ALL SELECT reached.oid, d.adbin::text, EXISTS (
        SELECT FROM pg_depend s JOIN pg_class c ON c.oid = s.refobjid AND c.relkind = 'S'
        WHERE s.classid = 'pg_attrdef'::regclass AND s.objid = d.oid AND s.refclassid = 'pg_class'::regclass)
    FROM reached JOIN pg_attrdef d ON d.adrelid = reached.oid
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE use <> 'read' OR a.attgenerated = 'v'
    UNION ALL SELECT reached.oid, c.conbin::text, false FROM reached JOIN pg_constraint c ON c.conrelid = reached.oid WHERE use <> 'read'
    UNION ALL SELECT reached.oid, concat(i.indexprs::text, i.indpred::text), false
    FROM reached JOIN pg_index i ON i.indrelid = reached.oid WHERE use <> 'read'
    UNION ALL SELECT reached.oid, t.tgqual::text, false FROM reached JOIN pg_trigger t ON t.tgrelid = reached.oid WHERE use = 'written'
    UNION ALL SELECT NULL, c.conbin::text, false FROM types JOIN pg_constraint c ON c.contypid = types.oid
), called (oid, relation, draws) AS (
    SELECT found[1]::oid, e.relation, e.draws FROM expressions e
    CROSS JOIN LATERAL regexp_matches(e.tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') AS found
    UNION SELECT t.tgfoid, reached.oid, false FROM reached JOIN pg_trigger t ON t.tgrelid = reached.oid
    WHERE use = 'written' AND NOT t.tgisinternal AND t.tgenabled <> 'D'
    UNION SELECT p.oid, NULL, false
    FROM unnest($7::text[], $8::text[]) AS f (schema, name) JOIN pg_proc p ON p.proname = f.name JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE (n.nspname = f.schema OR f.schema IS NULL AND n.nspname = ANY ($10))
        AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[]) AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    -- row.name
    UNION SELECT p.oid, NULL, false
    FROM unnest($9::text[]) AS f (name) JOIN pg_proc p ON p.proname = f.name JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_type t ON t.oid = p.proargtypes[0]
    WHERE n.nspname = ANY ($10) AND p.pronargs - p.pronargdefaults <= 1 AND (t.typtype = 'c' OR t.typcategory = 'P')
    UNION SELECT o.oprcode, NULL, false FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
    WHERE n.nspname <> 'pg_catalog' AND position(o.oprname IN $11::text) > 0
    UNION SELECT c.castfunc, NULL, false FROM types JOIN pg_cast c ON types.oid IN (c.castsource, c.casttarget)
    WHERE c.castfunc <> 0 AND (c.castcontext <> 'e' OR types.is_named)
), executed (oid, relation) AS (
    SELECT called.oid, called.relation FROM called JOIN pg_proc p ON p.oid = called.oid
    WHERE NOT (called.draws AND p.proname = 'nextval' AND p.pronamespace = 'pg_catalog'::regnamespace)
    UNION SELECT part.oid, called.relation FROM called JOIN pg_aggregate a ON a.aggfnoid = called.oid
    CROSS JOIN unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn,
        a.aggmfinalfn]::oid[]) AS part (oid)
)
SELECT 'calls' AS effect, p.oid::regprocedure::text AS what, executed.relation::regclass::text AS through
FROM executed JOIN pg_proc p ON p.oid = executed.oid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE CASE n.nspname WHEN 'pg_catalog' THEN p.provolatile = 'v' AND p.proname !~ $12::text
    ELSE p.provolatile = 'v' OR n.nspname = $13::text END
UNION SELECT 'draws', c.oid::regclass::text, reached.oid::regclass::text
FROM reached JOIN pg_attrdef d ON d.adrelid = reached.oid
JOIN pg_depend s ON s.classid = 'pg_attrdef'::regclass AND s.objid = d.oid AND s.refclassid = 'pg_class'::regclass
JOIN pg_class c ON c.oid = s.refobjid AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE reached.use <> 'read' AND n.nspname <> $13
UNION SELECT CASE use WHEN 'written' THEN 'writes' ELSE 'locks' END, c.oid::regclass::text, NULL
FROM reached JOIN pg_class c ON c.oid = reached.oid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname <> $13 AND (use = 'written' OR use = 'read' AND $14::bool)
ORDER BY effect, what, through
