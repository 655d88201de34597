-- Plants in the schema `shadows.schema` what PostgreSQL has of the names in `shadows.words`: functions and aggregates with these
-- argument types and with those that fit better than polymorphic or implicitly cast ones, operators, views over the system's
-- relations, domains over its types. Each writes a line into the server's log that begins with TRAP, which no transaction takes back.
SET search_path = pg_catalog;
CREATE FUNCTION pg_temp.written(type oid) RETURNS text LANGUAGE sql AS $$
    SELECT format('%I.%I', n.nspname, t.typname) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = type
$$;
-- Types with which something that takes `type` can be called too.
CREATE FUNCTION pg_temp.alternatives(type oid) RETURNS text[] LANGUAGE sql AS $$
    SELECT CASE
        WHEN type IN ('anyelement'::regtype, '"any"'::regtype, 'anynonarray'::regtype, 'anycompatible'::regtype) THEN
            (SELECT array_agg('pg_catalog.' || quote_ident(name)) FROM unnest(string_to_array(
                'bool char name int8 int2 int2vector int4 text oid xid oidvector json jsonb float4 float8 numeric varchar '
                'timestamptz interval regclass regtype regrole regnamespace regproc aclitem date _text _int2 _oid _name '
                'pg_stat_database pg_stat_archiver pg_stat_bgwriter pg_stat_wal pg_statistic_ext pg_database pg_auth_members', ' ')) name)
        WHEN type IN ('anyarray'::regtype, 'anycompatiblearray'::regtype) THEN
            (SELECT array_agg('pg_catalog.' || quote_ident(name)) FROM unnest(string_to_array(
                '_bool _char _name _int8 _int2 _int4 _text _oid _regtype _regclass _float4 _float8 _numeric _aclitem int2vector '
                'oidvector', ' ')) name)
        ELSE (SELECT array_agg(DISTINCT pg_temp.written(other)) FROM unnest(type || CASE type
            WHEN 'text'::regtype THEN '{name,varchar,"char"}'::regtype[]::oid[]
            WHEN 'int8'::regtype THEN '{int4,int2}'::regtype[]::oid[]
            WHEN 'int4'::regtype THEN '{int2}'::regtype[]::oid[]
            WHEN 'float8'::regtype THEN '{int8,numeric}'::regtype[]::oid[]
            WHEN 'regclass'::regtype THEN '{oid}'::regtype[]::oid[]
            WHEN 'oid'::regtype THEN '{regclass}'::regtype[]::oid[]
            ELSE '{}'::oid[] END) other)
    END
$$;
CREATE FUNCTION pg_temp.plant(sql text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE sql;
    RETURN 1;
EXCEPTION WHEN OTHERS THEN
    -- Another one is there already, or it takes or returns what no function of ours may.
    RETURN 0;
END $$;
DO $$
DECLARE
    target text := quote_ident(current_setting('shadows.schema'));
    words text[] := string_to_array(current_setting('shadows.words'), ' ');
    trap text := $t$BEGIN RAISE LOG 'TRAP %% in %%', %L, pg_catalog.current_query(); RETURN%s; END$t$;
    planted int := 0;
    found record;
    combination text;
    combinations text[];
    argument oid;
    result text;
    of_state text;
BEGIN
    FOR found IN SELECT p.*, p.proargtypes::oid[] AS arguments FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY (words) AND p.prokind IN ('f', 'a')
          AND p.pronargs <= 5
    LOOP
        combinations := ARRAY[''];
        FOREACH argument IN ARRAY found.arguments LOOP
            combinations := ARRAY(SELECT concat_ws(', ', nullif(begun, ''), other)
                FROM unnest(combinations) begun, unnest(pg_temp.alternatives(argument)) other LIMIT 120);
        END LOOP;
        FOREACH combination IN ARRAY combinations LOOP
            result := pg_temp.written(found.prorettype);
            IF result IN ('pg_catalog.anyarray', 'pg_catalog.anycompatiblearray') THEN
                result := regexp_replace(split_part(combination, ', ', 1), '\._?', '._');
            ELSIF result IN ('pg_catalog.anyelement', 'pg_catalog.anycompatible', 'pg_catalog.anynonarray') THEN
                result := regexp_replace(split_part(combination, ', ', 1), '\._', '.');
            END IF;
            IF found.prokind = 'a' THEN
                of_state := format('%s.shadow_%s', target, planted);
                planted := planted + pg_temp.plant(format('CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE plpgsql AS %L', of_state,
                    concat_ws(', ', result, nullif(combination, '')), result, format(trap, found.proname, ' $1')));
                planted := planted + pg_temp.plant(format('CREATE AGGREGATE %s.%I(%s) (sfunc = %s, stype = %s)', target, found.proname,
                    coalesce(nullif(combination, ''), '*'), of_state, result));
            ELSE
                planted := planted + pg_temp.plant(format('CREATE FUNCTION %s.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS %L', target,
                    found.proname, combination, CASE WHEN found.proretset THEN 'SETOF ' END, result,
                    format(trap, found.proname, CASE WHEN NOT found.proretset AND result <> 'pg_catalog.void' THEN ' NULL' END)));
            END IF;
        END LOOP;
    END LOOP;
    -- What takes any number of arguments of any type.
    FOR found IN SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY (words)
        AND provariadic = '"any"'::regtype
    LOOP
        planted := planted + pg_temp.plant(format(
            'CREATE FUNCTION %s.%I(VARIADIC pg_catalog._text) RETURNS pg_catalog.text LANGUAGE plpgsql AS %L',
            target, found.proname, format(trap, found.proname, ' NULL')));
        FOR combination IN
            SELECT concat_ws(', ', 'pg_catalog.text', one, two, three)
            FROM unnest('{pg_catalog.text,pg_catalog.name,pg_catalog.regclass,pg_catalog.oid}'::text[]) one,
                 unnest('{pg_catalog.text,pg_catalog.name,pg_catalog.regclass,NULL}'::text[]) two,
                 unnest('{pg_catalog.text,pg_catalog.name,NULL}'::text[]) three
        LOOP
            planted := planted + pg_temp.plant(format(
                'CREATE FUNCTION %s.%I(%s) RETURNS pg_catalog.text LANGUAGE plpgsql AS %L',
                target, found.proname, combination, format(trap, found.proname, ' NULL')));
        END LOOP;
    END LOOP;
    FOR found IN
        WITH types (one, kind) AS (
            SELECT name, CASE WHEN name IN ('oid', 'regclass', 'regtype', 'regrole', 'regproc', 'regnamespace') THEN 'oid'
                WHEN name IN ('name', 'text', 'varchar', 'char') THEN 'text'
                WHEN name IN ('int2', 'int4', 'int8', 'float4', 'float8', 'numeric') THEN 'number' ELSE name END
            FROM unnest(string_to_array('bool char name int8 int2 int4 text oid xid tid json jsonb float4 float8 numeric varchar '
                'timestamptz interval regclass regtype regrole regnamespace regproc date uuid int2vector oidvector '
                '_bool _name _int2 _int4 _int8 _text _oid _regtype _float8', ' ')) name
        )
        SELECT op, l.one AS l, r.one AS r FROM types l JOIN types r USING (kind),
            unnest(string_to_array('= <> < <= > >= + - * / || -> ->> @> <@ && ~ ~~ & % ?', ' ')) op
    LOOP
        result := CASE WHEN found.op IN ('||', '->>') THEN 'text' WHEN found.op = '->' THEN 'jsonb'
            WHEN found.op IN ('+', '-', '*', '/', '&', '%') THEN found.l ELSE 'bool' END;
        of_state := format('%s.shadow_%s', target, planted);
        planted := planted + pg_temp.plant(format(
            'CREATE FUNCTION %s(pg_catalog.%I, pg_catalog.%I) RETURNS pg_catalog.%I LANGUAGE plpgsql AS %L', of_state, found.l, found.r,
            result, format(trap, format('operator %s (%s, %s)', found.op, found.l, found.r), ' NULL')));
        planted := planted + pg_temp.plant(format(
            'CREATE OPERATOR %s.%s (function = %s, leftarg = pg_catalog.%I, rightarg = pg_catalog.%I)', target, found.op, of_state,
            found.l, found.r));
    END LOOP;
    PERFORM pg_temp.plant(format('CREATE FUNCTION %s.shadow_of(pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql AS %L', target,
        $t$BEGIN RAISE LOG 'TRAP % in %', $1, pg_catalog.current_query(); RETURN true; END$t$));
    FOR found IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')
        AND relname = ANY (words)
    LOOP
        planted := planted + pg_temp.plant(format(
            'CREATE VIEW %s.%I AS SELECT c.* FROM pg_catalog.%I c WHERE %s.shadow_of(%L)', target, found.relname, found.relname, target,
            found.relname));
    END LOOP;
    FOR found IN SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname !~ '^_'
        AND typname = ANY (words)
    LOOP
        planted := planted + pg_temp.plant(format('CREATE DOMAIN %s.%I AS pg_catalog.%I CHECK (%s.shadow_of(%L))', target,
            found.typname, found.typname, target, 'type ' || found.typname));
    END LOOP;
    RAISE LOG 'planted % in %', planted, target;
    PERFORM set_config('shadows.planted', planted::text, false);
END $$;
