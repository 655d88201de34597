//! Which flag sets a field of a request: errors name fields, people type flags.

use crate::text::Field;

/// A text in which errors name fields, with the flags that set them.
pub(super) fn in_flags(text: &str, fields: &[Field]) -> String {
    fields.iter().fold(text.to_owned(), |text, field| text.replace(&field.to_string(), &flag(*field)))
}

/// Each flag is called as its field, but words are joined by a `-`.
fn flag(field: Field) -> String {
    format!("--{}", field.name().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn fields_that_a_message_names_become_flags_and_other_words_stay() {
        let text = format!("{}: `clients` is a table; raise {}", Field::PoolWaitTimeout, Field::Pool);
        let fields = [Field::Pool, Field::PoolWaitTimeout];
        assert_eq!(in_flags(&text, &fields), "--pool-wait-timeout: `clients` is a table; raise --pool");
    }

    #[test]
    fn each_field_has_a_flag() {
        let all = Cli::command();
        let flags: Vec<String> = all
            .get_subcommands()
            .flat_map(|command| std::iter::once(command).chain(command.get_subcommands()))
            .flat_map(clap::Command::get_arguments)
            .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
            .collect();
        for field in Field::ALL {
            assert!(flags.contains(&flag(*field)), "{field}");
        }
    }
}
