//! What others plant in a database under the names that latclinic's SQL uses is never called by latclinic.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../own_server/mod.rs"]
mod own_server;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use latclinic::{
    clinic::{self, ClassGiven, Question, TIME_LIMIT},
    pg::{Access, Client, Connector, Explainer, Given, UserSession},
    record::ValueSource,
};
use own_server::OwnServer;
use tokio_util::sync::CancellationToken;

/// Plants it.
const PLANT: &str = include_str!("plant.sql");

const SCENARIO: &str = include_str!("scenario.toml");

/// What is there before: tables of the user, and a type of somebody whose casts are traps.
const DATABASE: &str = "
    GRANT CREATE ON SCHEMA public TO PUBLIC;
    CREATE SCHEMA shop;
    CREATE TABLE shop.owners (id int PRIMARY KEY, labels text[]);
    CREATE TABLE shop.items (a int PRIMARY KEY, owner int NOT NULL REFERENCES shop.owners, flag bool, tags int2[], note text);
    INSERT INTO shop.owners SELECT g, '{}' FROM generate_series(1, 50) g;
    INSERT INTO shop.items SELECT g, 1 + g % 50, g % 7 = 0, array[g % 9]::int2[], 'x' FROM generate_series(1, 20000) g;
    CREATE INDEX ON shop.items ((lower(note))) WHERE flag;
    CREATE STATISTICS shop.of_items ON owner, flag FROM shop.items;
    ANALYZE shop.items, shop.owners";

const MOOD: &str = "
    SET ROLE evil;
    CREATE TYPE public.mood AS ENUM ('glad', 'sad');
    CREATE FUNCTION public.mood_text(public.mood) RETURNS pg_catalog.text LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP cast to text in %', pg_catalog.current_query(); RETURN 'glad'; END$$;
    CREATE FUNCTION public.mood_json(public.mood) RETURNS pg_catalog.json LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP cast to json in %', pg_catalog.current_query(); RETURN '\"glad\"'; END$$;
    CREATE FUNCTION public.text_mood(pg_catalog.text) RETURNS public.mood LANGUAGE plpgsql AS
        $$BEGIN RAISE LOG 'TRAP cast from text in %', pg_catalog.current_query(); RETURN 'glad'; END$$;
    CREATE CAST (public.mood AS pg_catalog.text) WITH FUNCTION public.mood_text AS ASSIGNMENT;
    CREATE CAST (public.mood AS pg_catalog.json) WITH FUNCTION public.mood_json AS ASSIGNMENT;
    CREATE CAST (pg_catalog.text AS public.mood) WITH FUNCTION public.text_mood AS ASSIGNMENT;
    RESET ROLE;
    CREATE TABLE shop.moods AS SELECT g AS id, 'glad'::public.mood AS mood FROM generate_series(1, 1000) AS g";

/// A server with a superuser `boss`, who runs latclinic, and a role `evil`, who plants.
struct Bed {
    server: OwnServer,
    work: tempfile::TempDir,
}

impl Bed {
    async fn new(extensions: &[&str]) -> Self {
        let bed = Self { server: OwnServer::start(), work: tempfile::tempdir().unwrap() };
        let client = bed.server.connector().connect_unprotected("test").await.unwrap();
        client.batch_execute("CREATE ROLE boss SUPERUSER LOGIN; CREATE ROLE evil LOGIN").await.unwrap();
        client.batch_execute("CREATE DATABASE shop").await.unwrap();
        let client = bed.client("boss").await;
        for extension in extensions {
            client.batch_execute(&format!("CREATE EXTENSION {extension} SCHEMA public")).await.unwrap();
        }
        client.batch_execute(DATABASE).await.unwrap();
        client.batch_execute(MOOD).await.unwrap();
        let kind = if extensions.contains(&"citext") { "public.citext" } else { "text" };
        for (name, load) in [("shadows", ""), ("pooled", "pool = { size = 2, recycling = \"clean\" }")] {
            let text = SCENARIO.replace("{EMAIL}", kind).replace("{LOAD}", load);
            fs::write(bed.work.path().join(format!("{name}.toml")), text).unwrap();
        }
        bed
    }

    fn url(&self, role: &str, more: &str) -> String {
        let running = self.server.lease.running();
        format!("postgresql://{role}@/shop?host={}&port={}{more}", running.socket_dir.display(), running.port)
    }

    async fn client(&self, role: &str) -> Client {
        let connector = Connector::from_url(&self.url(role, ""), &|_| None).unwrap();
        connector.connect_unprotected("test").await.unwrap()
    }

    /// Plants traps in a schema of this name; how many.
    async fn plant(&self, schema: &str, words: &str) -> u32 {
        let client = self.client("boss").await;
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION evil")).await.unwrap();
        client
            .batch_execute(&format!("SET ROLE evil; SET shadows.schema = '{schema}'; SET shadows.words = '{words}'"))
            .await
            .unwrap();
        client.batch_execute(PLANT).await.unwrap();
        let planted = "SELECT pg_catalog.current_setting('shadows.planted')";
        client.query_one(planted, &[]).await.unwrap().get::<_, String>(0).parse().unwrap()
    }

    fn log(&self) -> PathBuf {
        let cluster = &self.server.lease.running().cluster;
        cluster.ancestors().map(|folder| folder.join("postgresql.log")).find(|log| log.exists()).unwrap()
    }

    /// What fell into a trap since the log had this length.
    fn trapped(&self, since: usize) -> Vec<String> {
        let log = fs::read(self.log()).unwrap();
        let text = String::from_utf8_lossy(&log[since..]).into_owned();
        text.lines().filter(|line| line.contains("LOG:  TRAP ")).map(str::to_owned).collect()
    }

    fn logged(&self) -> usize {
        usize::try_from(fs::metadata(self.log()).unwrap().len()).unwrap()
    }

    /// Runs latclinic as `boss`: it has to end well, and nothing falls into a trap.
    fn run(&self, more: &str, arguments: &[&str]) {
        let before = self.logged();
        let mut command = Command::new(env!("CARGO_BIN_EXE_latclinic"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        let output = command
            .args(arguments)
            .args(["--database-url", &self.url("boss", more)])
            .env("LATCLINIC_DATA_DIR", self.work.path().join("data"))
            .current_dir(self.work.path())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        let trapped = self.trapped(before);
        assert!(
            trapped.is_empty(),
            "{arguments:?} called {} of others': {:#?}",
            trapped.len(),
            &trapped[..trapped.len().min(5)]
        );
        // Whether a busy machine keeps a threshold does not matter.
        let is_judged = arguments.contains(&"--find-capacity");
        let code = output.status.code();
        assert!(code == Some(0) || code == Some(3) && is_judged, "{arguments:?}: {words}");
        let told = format!("{words}{}", String::from_utf8_lossy(&output.stdout));
        for broken in ["is not unique", "does not exist", "cannot be done", "was not measured", "cannot read"] {
            assert!(!told.contains(broken), "{arguments:?}: {broken}: {told}");
        }
    }

    /// Runs every command that works on a database. Names in the statements of the user say their schema: what they call is the user's.
    fn run_all(&self, more: &str) {
        let query = "SELECT a, note FROM shop.items WHERE owner OPERATOR(pg_catalog.=) $1 ORDER BY a";
        let flag = ["explain", "--query", "SELECT * FROM shop.items WHERE flag"];
        for found in [
            "pg_catalog.lower(note) OPERATOR(pg_catalog.=) pg_catalog.lower($1)",
            "tags OPERATOR(pg_catalog.@>) $1 AND a OPERATOR(pg_catalog.>) ($2 OPERATOR(pg_catalog.+) 1)",
            "note OPERATOR(pg_catalog.~~) $1 AND owner OPERATOR(pg_catalog.=) ANY ($2)",
            "ROW(owner, a) OPERATOR(pg_catalog.>) ROW($1, $2)",
            "pg_catalog.to_tsvector('simple'::pg_catalog.regconfig, note) OPERATOR(pg_catalog.@@) $1",
        ] {
            self.run(more, &["explain", "--query", &format!("SELECT a FROM shop.items WHERE {found}")]);
        }
        self.run(more, &flag);
        self.run(more, &[&flag[..], &["--what-if"]].concat());
        self.run(more, &["explain", "--query", query]);
        self.run(more, &["explain", "--query", query, "--parameter", "7", "--what-if"]);
        self.run(
            more,
            &["explain", "--query", "DELETE FROM shop.owners WHERE id OPERATOR(pg_catalog.=) $1", "--rollback"],
        );
        let rollback = ["--parameter", "70", "--rollback"];
        let delete = ["explain", "--query", "DELETE FROM shop.owners WHERE id OPERATOR(pg_catalog.=) $1"];
        self.run(more, &[&delete[..], &rollback].concat());
        self.run(more, &["explain", "--query", "SELECT id FROM shop.moods WHERE mood OPERATOR(pg_catalog.=) $1"]);
        let own_type = ["explain", "--query", "SELECT $1::public.mood", "--parameter", "sad"];
        self.run(more, &own_type);

        let load = ["--clients", "2", "--warmup", "100ms"];
        let quick = [&load[..], &["--duration", "300ms", "--yes"]].concat();
        let phase = |verb: &'static str, phase: &'static str| [verb, "shadows.toml", "--phase", phase];
        self.run(more, &["seed", "shadows.toml", "--yes"]);
        self.run(more, &["seed", "shadows.toml", "--yes", "--reseed"]);
        self.run(more, &[&phase("explain", "before")[..], &["--what-if", "--yes"]].concat());
        self.run(more, &[&phase("bench", "before")[..], &quick].concat());
        self.run(
            more,
            &[&phase("bench", "before")[..], &quick, &["--find-capacity", "p(95)<5s", "--rate", "20/s"]].concat(),
        );
        self.run(more, &["apply-fix", "shadows.toml", "--yes"]);
        self.run(more, &[&phase("explain", "after")[..], &["--yes"]].concat());
        self.run(more, &[&phase("bench", "after")[..], &quick].concat());
        self.run(more, &["revert-fix", "shadows.toml", "--yes"]);
        let rounds = [&load[..], &["--rounds", "1", "--block", "300ms", "--yes"]].concat();
        self.run(more, &[&["run", "shadows.toml"][..], &rounds].concat());
        self.run(more, &[&["run", "shadows.toml", "--aa"][..], &rounds].concat());
        self.run(more, &["seed", "pooled.toml", "--yes"]);
        self.run(more, &[&["bench", "pooled.toml", "--phase", "before"][..], &quick].concat());
    }

    /// That the traps are ones: each of these statements falls into one.
    async fn fall(&self, statements: &[&str]) {
        let client = self.client("boss").await;
        for statement in statements {
            let before = self.logged();
            // What a trap returns need not fit.
            let _ = client.batch_execute(statement).await;
            assert!(!self.trapped(before).is_empty(), "{statement} fell into no trap");
        }
    }
}

/// Every word of what latclinic may send to a server.
fn words() -> String {
    let mut words = BTreeSet::new();
    for folder in ["src/pg", "src/clinic"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut words);
    }
    assert!(words.contains("pg_get_indexdef") && words.len() > 1000, "{}", words.len());
    words.into_iter().collect::<Vec<_>>().join(" ")
}

fn collect(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, words);
        } else {
            let text = fs::read_to_string(&path).unwrap().to_lowercase();
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            words.extend(text.split(|letter| !is_part(letter)).filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
}

/// Functions, aggregates and operators that are called where they fit better, wherever `pg_catalog` is in the path.
const FIT_BETTER: [&str; 6] = [
    "SELECT cardinality('{1}'::int2[])",
    "SELECT array_agg(name) FROM pg_catalog.unnest('{a}'::text[]) name",
    "SELECT '{1}'::int2[] <@ '{1}'::int2[]",
    "SELECT pg_relation_size('pg_class'::regclass::oid)",
    "SELECT format('%s %s', 'a'::text, 'b'::name)",
    "SELECT 'glad'::public.mood::text",
];

/// What is called where its schema comes before `pg_catalog`.
const FIRST: [&str; 5] = [
    "SELECT current_database()",
    "SELECT 'a'::pg_catalog.text = 'b'::pg_catalog.text",
    "SELECT relname FROM pg_class LIMIT 1",
    "SELECT 'a'::text",
    "SELECT oid FROM pg_catalog.pg_type WHERE oid = 23::pg_catalog.oid",
];

#[tokio::test]
async fn what_fits_better_is_not_called() {
    let bed = Bed::new(&[]).await;
    let words = words();
    // Both schemas of the path that a role has unless told otherwise.
    for schema in ["boss", "public"] {
        let planted = bed.plant(schema, &words).await;
        assert!(planted > 3000, "{planted} in {schema}");
    }
    bed.fall(&FIT_BETTER).await;
    bed.run_all("");
}

#[tokio::test]
async fn what_comes_first_is_not_called() {
    let there = ["intarray", "citext", "hstore", "pg_trgm"];
    let bed = Bed::new(&there).await;
    let planted = bed.plant("public", &words()).await;
    assert!(planted > 3000, "{planted}");
    let client = bed.client("boss").await;
    client
        .batch_execute("SET ROLE evil; CREATE TYPE public.geometry AS (x pg_catalog.int4); RESET ROLE")
        .await
        .unwrap();
    client.batch_execute("ALTER ROLE boss SET search_path = public, pg_catalog").await.unwrap();
    bed.fall(&FIT_BETTER).await;
    bed.fall(&FIRST).await;
    bed.run_all("");
    // As a URL and a database set it.
    let query = ["explain", "--query", "SELECT a FROM shop.items WHERE flag", "--what-if"];
    bed.run("&options=-c%20search_path%3Dpublic,pg_catalog", &query);
    client
        .batch_execute("ALTER ROLE boss RESET search_path; ALTER DATABASE shop SET search_path = public, pg_catalog")
        .await
        .unwrap();
    bed.fall(&FIRST).await;
    bed.run("", &query);
    bed.run("", &["seed", "shadows.toml", "--yes", "--reseed"]);
}

#[tokio::test]
async fn what_is_temporary_is_not_called() {
    let bed = Bed::new(&[]).await;
    let session =
        UserSession::open(&Connector::from_url(&bed.url("boss", ""), &|_| None).unwrap(), "test").await.unwrap();
    let setup = format!("SET shadows.schema = 'pg_temp'; SET shadows.words = '{}'", words());
    session.run(&setup).await.unwrap();
    session.run(PLANT).await.unwrap();
    session.run("SET search_path = public").await.unwrap();
    // Tables and types, for PostgreSQL calls no function of pg_temp by its name alone.
    for statement in ["SELECT relname FROM pg_class LIMIT 1", "SELECT 'a'::text"] {
        let before = bed.logged();
        session.simple_query(statement).await.unwrap();
        assert!(!bed.trapped(before).is_empty(), "{statement} fell into no trap");
    }

    let before = bed.logged();
    let stop = CancellationToken::new();
    let question = |sql: &str, values: &[&str]| Question {
        sql: sql.to_owned(),
        classes: vec![ClassGiven {
            class: "typical".to_owned(),
            values: values.iter().map(|value| Given(Some((*value).to_owned()))).collect(),
            parameters: values.iter().map(|value| (*value).to_owned()).collect(),
            values_from: vec![ValueSource::Given; values.len()],
            value_rows: vec![None; values.len()],
        }],
        executions: None,
        time_limit: TIME_LIMIT,
        not_executed: None,
    };
    for access in [Access::ReadOnly, Access::RolledBack] {
        let explainer = Explainer::new(&session, &stop, access);
        for question in [
            question("SELECT a, note FROM shop.items WHERE flag", &[]),
            question("SELECT note FROM shop.items WHERE owner = $1", &["7"]),
            question("SELECT $1::public.mood", &["sad"]),
        ] {
            let found = clinic::examine(&explainer, &question).await.unwrap();
            assert!(!found.plans.is_empty());
        }
    }
    let trapped = bed.trapped(before);
    assert!(trapped.is_empty(), "{trapped:#?}");
    assert_eq!(session.path().await.unwrap(), "public", "the user's path is as it was");
}
