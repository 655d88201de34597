use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn value(tape: &Tape<'_>, at: usize) -> Value {
    match tape.token(at) {
        Token::Null => Value::Null,
        Token::Bool(is) => (*is).into(),
        Token::Number(number) => (*number).into(),
        Token::Text(text) => text.to_string().into(),
        Token::Array(_) => tape.elements(at).map(|element| value(tape, element)).collect(),
        Token::Object(_) => {
            Value::Object(tape.members(at).map(|(key, at)| (key.to_owned(), value(tape, at))).collect::<Map<_, _>>())
        }
    }
}

/// Numbers as floats, as a tape has them.
fn floats(json: &Value) -> Value {
    match json {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(values) => values.iter().map(floats).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.clone(), floats(value))).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn json_is_read_and_what_follows_is_left() {
    let (tape, end) =
        Tape::read(r#" [{"a": [1, -2.5e3, "x\n\u00e9\ud83d\ude00"], "b": {}}, [], null, true] rest"#).unwrap();
    assert_eq!(value(&tape, 0), json!([{ "a": [1.0, -2500.0, "x\né😀"], "b": {} }, [], null, true]));
    assert_eq!(end, 71);
}

#[test]
fn where_it_is_cut_or_wrong_is_told() {
    for cut in [
        "",
        " ",
        "[",
        "[1,",
        "{",
        r#"{"a"#,
        r#"{"a""#,
        r#"{"a":"#,
        r#""x\u00"#,
        r#""x\"#,
        r#""\ud83d"#,
        "tru",
        "-",
        "1e",
        "[1",
    ] {
        assert_eq!(Tape::read(cut).unwrap_err(), Fault::Cut, "{cut}");
        // As it is pasted, with the end of its last line.
        assert_eq!(Tape::read(&format!("{cut}\r\n\n")).unwrap_err(), Fault::Cut, "{cut}");
    }
    for (wrong, at) in [
        ("x", 0),
        ("[1 2]", 3),
        ("[1,]", 3),
        (r#"{"a":1,}"#, 7),
        ("{1", 1),
        ("[}", 1),
        ("{]", 1),
        ("[1}", 2),
        (r#""\x""#, 2),
        (r#""\u0x00""#, 4),
        ("\"a\nb\"", 2),
    ] {
        assert_eq!(Tape::read(wrong).unwrap_err(), Fault::Syntax(at), "{wrong}");
    }
    assert_eq!(Tape::read(&"[".repeat(1_000_000)).unwrap_err(), Fault::Depth);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,5}", inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_json_reads_as_serde_json_reads_it(json in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        let (tape, end) = Tape::read(&text).unwrap();
        prop_assert_eq!(value(&tape, 0), floats(&json));
        prop_assert_eq!(end, text.len());
        let converted = Tape::of(&json).unwrap();
        prop_assert_eq!(converted.tokens(), tape.tokens());
    }

    #[test]
    fn every_text_is_json_for_both_or_for_neither(text in r#"[\[\]{},:"\\ut0-9.eE+a-f \n-]{0,16}"#) {
        let ours = Tape::read(&text).ok().filter(|(_, end)| text[*end..].trim_ascii().is_empty());
        let theirs = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(ours.is_some(), theirs.is_ok(), "{}", text);
    }
}
