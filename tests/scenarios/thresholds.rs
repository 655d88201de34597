//! `thresholds`: a fault stands under its place within the text.

use insta::assert_snapshot;

use super::{DATASET, FIX, WORKLOAD, faults_of, lines, read};

fn text(thresholds: &str) -> String {
    format!("title = \"t\"\nthresholds = {thresholds}\n{DATASET}{WORKLOAD}{FIX}")
}

#[test]
fn thresholds_are_kept_as_written() {
    let scenario = read(&text(r#"["p(95) < 50ms", "latest:error_rate<1%"]"#)).unwrap();
    assert_eq!(serde_json::to_string(&scenario.thresholds).unwrap(), r#"["p(95) < 50ms","latest:error_rate<1%"]"#);
}

#[test]
fn faults_have_their_place_in_the_text() {
    let thresholds = r#"["p95<50ms", " p(95) < 50 ", "latst:p(95)<50ms", " other : mean<1ms", "throughput>\u0031", 5]"#;
    assert_snapshot!(lines(read(&text(thresholds))), @r#"mine.toml:2:105: wrong type: an integer, expected a string like "p(95)<50ms", "error_rate<1%" or "throughput>100/s""#);
    assert_snapshot!(lines(read(&text(&thresholds.replace(", 5]", "]")))), @r"
mine.toml:2:16: unknown metric `p95`, expected `p(95)`, `mean`, `max`, `error_rate` or `throughput` (did you mean `p(95)`?)
mine.toml:2:37: a time without its unit, expected a time like 50ms
mine.toml:2:44: no operation `latst` (did you mean `latest`?)
mine.toml:2:65: no operation `other`, expected `latest`
mine.toml:2:84: `1` is not a rate, expected a rate like 100/s
");
    let told = faults_of(read(&text("[\"p(95)<50mss\"]"))).render(false);
    let folder = told.split("--> ").nth(1).unwrap().split("mine.toml").next().unwrap().to_owned();
    assert_snapshot!(told.replace(&folder, ""), @r#"
error: unknown unit `mss`
 --> mine.toml:2:24
  |
2 | thresholds = ["p(95)<50mss"]
  |                        ^^^ expected `us`, `ms`, `s` or `min`
"#);
}
