//! What may be written to a terminal or the log of a CI job, whoever wrote it: the last step of all output.

use std::fmt::Write as _;

use super::document::{clean_lines, is_unprintable};

/// How lines begin, or what is in them, that a CI system takes for its own: commands of GitHub, Azure Pipelines and TeamCity. Each with what
/// reads the same and is none.
const COMMANDS: [(&str, &str); 3] = [("##[", "# #["), ("##vso[", "# #vso["), ("##teamcity[", "# #teamcity[")];

/// Text of any origin as it may be written: nothing in it controls a terminal, turns or hides text, or is a command to a CI system.
pub fn harmless(text: &str) -> String {
    let clean = clean_lines(text);
    let mut written = String::with_capacity(clean.len());
    for line in clean.split_inclusive('\n') {
        let begin = line.len() - line.trim_start().len();
        match line[begin..].strip_prefix("::") {
            // GitHub reads a command also behind spaces.
            Some(rest) => {
                let _ = write!(written, "{}: :{rest}", &line[..begin]);
            }
            None => written.push_str(line),
        }
    }
    COMMANDS.iter().fold(written, |text, (command, none)| text.replace(command, none))
}

/// JSON, which serde wrote, with escapes for what [`harmless`] would change: the same data.
pub(super) fn harmless_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    let mut units = [0; 2];
    for (at, c) in json.char_indices() {
        // Neither is anywhere in JSON but in its strings.
        if (is_unprintable(c) && c != '\n') || COMMANDS.iter().any(|(command, _)| json[at..].starts_with(command)) {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_to_ci_systems_are_text() {
        for (text, expected) in [
            ("a\n::error title=x::y", "a\n: :error title=x::y"),
            ("  \t::set-output name=a::b\n", "  \t: :set-output name=a::b\n"),
            ("\u{a0}::error::x", "\u{a0}: :error::x"),
            ("a\r\n::error::x\rb", "a\n: :error::x\u{fffd}b"),
            (
                "x ##[error]y ##vso[task.setvariable]z ##teamcity[x]",
                "x # #[error]y # #vso[task.setvariable]z # #teamcity[x]",
            ),
            ("at::timestamptz ##\n## b", "at::timestamptz ##\n## b"),
            ("\u{1b}[31mred\u{1b}]0;t\u{7} \u{202e}x", "\u{fffd}[31mred\u{fffd}]0;t\u{fffd} \u{fffd}x"),
        ] {
            assert_eq!(harmless(text), expected);
        }
    }

    #[test]
    fn json_keeps_its_data() {
        let data = "a\u{202e}b ##[error] ##vso[x] \u{7f} \u{e0041} größe\n::error::";
        let json = harmless_json(&serde_json::to_string_pretty(&[data]).unwrap());
        assert_eq!(serde_json::from_str::<[String; 1]>(&json).unwrap(), [data]);
        assert_eq!(harmless(&json), json);
        assert!(json.contains("\\u202e") && json.contains("\\udb40\\udc41") && json.contains("größe"), "{json}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_harmless_stays_as_it_is(text in "(::|##|\\[|vso|[ a\n\r\t\u{1b}\u{202e}:#])*") {
            let once = harmless(&text);
            proptest::prop_assert_eq!(harmless(&once), once);
        }
    }
}
