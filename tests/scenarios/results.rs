//! `[results]`: what is compared of the results before and after the fix.

use insta::assert_snapshot;

use super::{DATASET, FIX, WORKLOAD, lines, read};

fn text(results: &str) -> String {
    format!("title = \"t\"\n{DATASET}{WORKLOAD}{FIX}{results}")
}

#[test]
fn two_hundred_sets_and_no_roles_unless_given() {
    let of = |results: &str| read(&text(results)).unwrap().results;
    assert_eq!((of("").sample, of("").roles), (200, Vec::new()));
    let results = of("[results]\nsample = 50\nroles = [\"tenant_a\", \"Tenant B\"]\n");
    assert_eq!((results.sample, results.roles), (50, vec!["tenant_a".to_owned(), "Tenant B".to_owned()]));
}

#[test]
fn faults_have_their_place() {
    let results = "[results]\nsample = 0\nroles = [\"a\", \"none\", \"\", \"a\"]\nrows = 1\n";
    assert_snapshot!(lines(read(&text(results))), @r"
mine.toml:17:10: 0 is out of range, expected an integer from 1 to 100000
mine.toml:18:15: `none` is not a role: it means the session's own (remove it; the session's own role is always compared)
mine.toml:18:23: `` names no role in PostgreSQL, expected 1 to 63 bytes
mine.toml:18:27: the role `a` a second time
mine.toml:19:1: unknown key `rows`, expected `sample`, `time_limit` or `roles`
");
}
