//! `latclinic completions` and `latclinic man`: what a shell and `man` read.

use clap::{Args, CommandFactory, ValueEnum};

use super::{Cli, CommandError, Exit, Output};

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic completions bash > ~/.local/share/bash-completion/completions/latclinic
  latclinic completions zsh > ~/.zfunc/_latclinic    # with ~/.zfunc in fpath
  latclinic completions fish > ~/.config/fish/completions/latclinic.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Interpreter,
}

/// Print the manual page of latclinic or of one of its commands, in roff
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  latclinic man | man -l -             # read it
  latclinic man run > latclinic-run.1  # that of one command")]
pub(super) struct ManArgs {
    /// The command, such as `run` or `baseline save` [default: latclinic itself]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Interpreter {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
}

/// Prints a completion script.
pub(super) fn completions(args: &CompletionsArgs, output: &mut Output) -> Exit {
    let shell = match args.shell {
        Interpreter::Bash => clap_complete::Shell::Bash,
        Interpreter::Zsh => clap_complete::Shell::Zsh,
        Interpreter::Fish => clap_complete::Shell::Fish,
        Interpreter::PowerShell => clap_complete::Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "latclinic", &mut script);
    output.own(&String::from_utf8_lossy(&script));
    Exit::Done
}

/// Prints a manual page.
///
/// # Errors
/// There is no such command.
pub(super) fn man(args: &ManArgs, output: &mut Output) -> Result<Exit, CommandError> {
    let mut all = Cli::command();
    all.build();
    let mut command = &all;
    for name in &args.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let message = anyhow::anyhow!("no command `{}`", args.command.join(" "));
            CommandError::new(Exit::Usage, message).with_hint(match names.as_slice() {
                [] => format!("`{}` has no commands of its own", command.get_name()),
                names => format!("the commands are {}", names.join(", ")),
            })
        })?;
    }
    let name: Vec<&str> = std::iter::once("latclinic").chain(args.command.iter().map(String::as_str)).collect();
    let page = clap_mangen::Man::new(command.clone().name(name.join("-")).display_name(name.join("-")));
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| CommandError::new(Exit::Failed, error))?;
    output.own(&String::from_utf8_lossy(&roff));
    Ok(Exit::Done)
}
