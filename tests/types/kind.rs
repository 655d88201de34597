//! The kinds of types.

/// A type with values of it.
pub(crate) struct Kind {
    /// As SQL names it.
    pub(crate) ty: &'static str,
    /// Values as the scenario's file writes them.
    pub(crate) values: &'static [&'static str],
    /// Whether `=` compares two of them.
    pub(crate) equality: bool,
    /// Whether arrays of it are made too.
    pub(crate) of_array: bool,
    /// A statement that works where the server has the type.
    pub(crate) needs: Option<&'static str>,
}

/// Every kind.
pub(crate) fn kinds() -> Vec<Kind> {
    const fn of(ty: &'static str, values: &'static [&'static str]) -> Kind {
        Kind { ty, values, equality: true, of_array: true, needs: None }
    }
    const fn unequal(ty: &'static str, values: &'static [&'static str]) -> Kind {
        Kind { equality: false, ..of(ty, values) }
    }
    const fn extended(needs: &'static str, kind: Kind) -> Kind {
        Kind { needs: Some(needs), ..kind }
    }
    vec![
        // Without a binary form.
        unequal("opaque", &["'a b'", "''"]),
        of("smallint", &["-32768", "7"]),
        of("int", &["-1", "70000"]),
        of("bigint", &["-1", "9_000_000_000"]),
        of("numeric", &["'NaN'", "'Infinity'", "'-Infinity'", "1.5", "'0.000000000000000000001'"]),
        of("numeric(6,2)", &["1234.56", "-0.5"]),
        of("real", &["0.1", "'NaN'", "'Infinity'"]),
        of("double precision", &["0.1", "'NaN'", "'-Infinity'"]),
        of("boolean", &["true", "false"]),
        of("text", &["''", "\"it's\"", "'a\\b{\"},NULL'"]),
        of("varchar(8)", &["'abc'", "'12345678'"]),
        of("char(5)", &["'abc'", "'abcde'"]),
        of("name", &["'abc'", "'pg_class'"]),
        of("\"char\"", &["'a'", "'b'"]),
        extended("SELECT NULL::citext", of("citext", &["'Ab'", "'c'"])),
        of("mood", &["'calm'", "\"it's \\\"odd\\\"\""]),
        of("\"Odd \"\"name\"", &["'a'", "'b'"]),
        of("zip", &["'12345'", "'54321'"]),
        of("small", &["1", "9"]),
        unequal("feeling", &["'calm'", "\"it's \\\"odd\\\"\""]),
        unequal("span", &["'[1,5)'", "'[7,)'"]),
        Kind { of_array: false, ..of("words", &["['a', 'b']", "['c']"]) },
        unequal("pair", &["'(1,\"a b\",calm)'", "'(,\"\"\"q\"\"\",)'"]),
        of("date", &["2025-03-01", "'infinity'"]),
        of("time", &["'12:00:00'", "'23:59:59.999999'"]),
        of("timetz", &["'12:00:00+02'", "'00:00:00-11'"]),
        of("timestamp", &["'2025-03-01 12:00:00'", "'-infinity'"]),
        of("timestamptz", &["2025-03-01T12:00:00Z", "'infinity'"]),
        of("interval", &["'1 day'", "'-3 mons 2 days 00:00:01.5'"]),
        of("uuid", &["'0194fdc2-fa2f-7cc0-81d3-ff1207445ab7'", "'00000000-0000-0000-0000-000000000001'"]),
        unequal("json", &["'{\"a\":1}'", "'[1,2]'"]),
        of("jsonb", &["'{\"a\": \"x\"}'", "'[1, 2]'"]),
        unequal("jsonpath", &["'$.\"a\"'", "'$[*]'"]),
        extended("SELECT xml '<a/>'", unequal("xml", &["'<a/>'", "'<b c=\"d\">e</b>'"])),
        of("bytea", &["'\\x00ff'", "'\\x'"]),
        of("bit(4)", &["'1010'", "'0000'"]),
        of("varbit", &["'1'", "'10101'"]),
        of("money", &["12.5", "'-3'"]),
        of("inet", &["'10.0.0.1'", "'10.0.0.0/8'"]),
        of("cidr", &["'10.0.0.0/8'", "'fd00::/64'"]),
        of("macaddr", &["'08:00:2b:01:02:03'", "'08:00:2b:01:02:04'"]),
        of("macaddr8", &["'08:00:2b:01:02:03:04:05'", "'08:00:2b:01:02:03:04:06'"]),
        unequal("point", &["'(1,2)'", "'(1.5,-2)'"]),
        unequal("line", &["'{1,2,3}'", "'{0,1,-1}'"]),
        unequal("lseg", &["'[(0,0),(1,1)]'", "'[(0,0),(2,1)]'"]),
        unequal("box", &["'(2,2),(0,0)'", "'(3,3),(0,0)'"]),
        unequal("path", &["'((0,0),(1,1))'", "'[(0,0),(1,1)]'"]),
        unequal("polygon", &["'((0,0),(1,1),(1,0))'", "'((0,0),(2,2),(2,0))'"]),
        unequal("circle", &["'<(0,0),1>'", "'<(0,0),2>'"]),
        of("tsvector", &["\"'a':1 'b':2\"", "\"'c'\""]),
        of("tsquery", &["\"'a' & 'b'\"", "\"!'c'\""]),
        of("pg_lsn", &["'0/16B3748'", "'1/0'"]),
        of("oid", &["16", "4_000_000_000"]),
        unequal("regclass", &["'pg_class'", "'pg_type'"]),
        of("xid8", &["'5'", "'9000000000'"]),
        unequal("txid_snapshot", &["'10:20:10,14'", "'10:12:'"]),
        of("int2vector", &["'1 2'", "'3'"]),
        of("int4range", &["'[1,5)'", "'empty'"]),
        of("numrange", &["'[1.5,2.5]'", "'(,1)'"]),
        of("tstzrange", &["'[\"2025-01-01 00:00:00+00\",\"2025-02-01 00:00:00+00\")'", "'empty'"]),
        of("daterange", &["'[2025-01-01,2025-02-01)'", "'[2025-01-01,)'"]),
        of("floatrange", &["'[0.5,1)'", "'(,)'"]),
        of("int4multirange", &["'{[1,3),[5,9)}'", "'{}'"]),
        of("datemultirange", &["'{[2025-01-01,2025-02-01)}'", "'{}'"]),
        extended("SELECT NULL::hstore", of("hstore", &["'\"a\"=>\"1\", \"b\"=>NULL'", "''"])),
        extended("SELECT NULL::ltree", of("ltree", &["'Top.Science'", "'Top'"])),
        extended("SELECT NULL::cube", of("cube", &["'(1, 2),(3, 4)'", "'(0)'"])),
        extended("SELECT NULL::ean13", of("ean13", &["'978-0-11-000533-1'", "'978-0-393-04002-9'"])),
        extended("SELECT NULL::query_int", unequal("query_int", &["'1 & 2'", "'3 | !4'"])),
    ]
}
