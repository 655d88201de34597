//! What is wrong with a scenario: all of it, each fault with its place.

use std::{collections::BTreeSet, fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use serde::Serialize;

/// One fault and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The scenario file, or the SQL file it names.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What is valid there, where that is not plain from the message.
    pub expected: Option<String>,
    /// The way out: the nearest valid name, or what to write.
    pub help: Option<String>,
    /// Bytes of the file that it is about; on one line.
    #[serde(skip)]
    pub span: Range<usize>,
    #[serde(skip)]
    source: usize,
}

/// All faults of a scenario, in the order of its files; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    sources: Vec<Source>,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    name: String,
    text: String,
}

impl Faults {
    /// The faults.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.faults.iter()
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// The scenario file, as shown to a person.
    pub fn file(&self) -> &str {
        self.sources.first().map_or("", |source| &source.name)
    }

    /// Each fault with the line it is on, for a person, who reads no more than a hundred at once.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.decor_style(DecorStyle::Ascii);
        let shown = self.faults.iter().take(MOST_SHOWN).map(|fault| self.snippet(fault, &renderer));
        let more = self.faults.len().saturating_sub(MOST_SHOWN);
        let more = (more > 0).then(|| format!("{more} more faults are not shown; --format json has all of them"));
        shown.chain(more).collect::<Vec<_>>().join("\n\n")
    }

    fn snippet(&self, fault: &Fault, renderer: &Renderer) -> String {
        // What is valid stands beside the place if the line stays readable, else below.
        let beside = fault.expected.as_deref().filter(|expected| expected.len() <= 40);
        let below = fault.expected.as_deref().filter(|_| beside.is_none());
        let mut report = Group::with_title(Level::ERROR.primary_title(fault.message.as_str()));
        if let Some(source) = self.sources.get(fault.source) {
            // The line alone: all of the text would be gone through again for each fault.
            let (start, end) = line_around(&source.text, &fault.span);
            let span = fault.span.start - start..fault.span.end - start;
            let mark = AnnotationKind::Primary.span(span).label(beside.map(|text| format!("expected {text}")));
            let line = Snippet::source(&source.text[start..end]).line_start(fault.line).path(source.name.as_str());
            report = report.element(line.annotation(mark));
        }
        if let Some(expected) = below {
            report = report.element(Level::NOTE.message(wrap(&format!("expected {expected}"))));
        }
        if let Some(help) = &fault.help {
            report = report.element(Level::HELP.message(wrap(help)));
        }
        renderer.render(&[report])
    }
}

/// Breaks a message so that it fits 80 columns beside what annotate-snippets puts before it.
fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < 64 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, ", expected {expected}")?;
        }
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl fmt::Display for Faults {
    /// A line a fault.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A file that faults can be in, as [`Collector::add_source`] numbered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SourceId(usize);

/// The scenario file itself.
pub(super) const SCENARIO: SourceId = SourceId(0);

/// A fault before its line and column are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    source: SourceId,
    span: Range<usize>,
    message: String,
    expected: Option<String>,
    help: Option<String>,
    /// Whether it follows from what stands elsewhere, or from what is missing.
    relative: bool,
}

impl Finding {
    /// Something wrong at `span` of the scenario file.
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { source: SCENARIO, span, message: message.into(), expected: None, help: None, relative: false }
    }

    /// Something wrong in another file.
    pub(super) fn within(mut self, source: SourceId) -> Self {
        self.source = source;
        self
    }

    /// Says what is valid there.
    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says the way out.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Names the nearest valid name, if any is near.
    pub(super) fn did_you_mean(self, nearest: Option<&str>) -> Self {
        match nearest {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Marks what cannot be judged from this value alone, so not in a file that could only be read in part.
    pub(super) fn relative(mut self) -> Self {
        self.relative = true;
        self
    }
}

/// Most faults that are shown to a person.
const MOST_SHOWN: usize = 100;

/// Lines in a row from which on their syntax faults are taken to follow from the first.
const CASCADE: usize = 2;

/// Gathers faults and the files they are in.
#[derive(Debug)]
pub(super) struct Collector {
    sources: Vec<Source>,
    findings: Vec<Finding>,
}

impl Collector {
    /// Starts with the scenario file.
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { sources: vec![Source { name: name.into(), text: text.into() }], findings: Vec::new() }
    }

    /// Adds another file.
    pub(super) fn add_source(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.sources.push(Source { name: name.into(), text: text.into() });
        SourceId(self.sources.len() - 1)
    }

    /// Adds a fault.
    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// How many there are so far.
    pub(super) fn len(&self) -> usize {
        self.findings.len()
    }

    /// The scenario file's name and text.
    pub(super) fn scenario(&self) -> (&str, &str) {
        self.sources.first().map_or(("", ""), |source| (&source.name, &source.text))
    }

    /// Forgets what may only seem wrong because the file could be read in part: faults on the lines of the first `syntax`
    /// ones or beneath a header among these, and those that depend on the rest of the file.
    pub(super) fn keep_certain(&mut self, syntax: usize) {
        let text = self.sources.first().map_or("", |source| source.text.as_str());
        let lines = Lines::of(text);
        let broken: BTreeSet<usize> =
            self.findings.iter().take(syntax).map(|found| lines.line(found.span.start)).collect();
        let is_header = |(_, text): &(usize, &str)| text.trim_start().starts_with('[');
        let headers: Vec<usize> = text.lines().enumerate().filter(is_header).map(|(index, _)| index + 1).collect();
        let uncertain = |found: &Finding| {
            let line = lines.line(found.span.start);
            let above = headers.partition_point(|header| *header <= line).checked_sub(1);
            broken.contains(&line) || above.is_some_and(|above| broken.contains(&headers[above]))
        };
        let mut index = 0;
        self.findings.retain(|found| {
            index += 1;
            index <= syntax || !(found.relative || found.source == SCENARIO && uncertain(found))
        });
    }

    /// Forgets the syntax faults, which are the first `syntax` ones, that only follow from another: where a bracket is never
    /// closed, the parser stumbles over each line that comes after.
    pub(super) fn keep_causes(&mut self, syntax: usize) {
        let Some(text) = self.sources.first().map(|source| source.text.as_str()) else { return };
        let mut found = self.findings.drain(..syntax.min(self.findings.len())).collect::<Vec<_>>();
        found.sort_by_key(|found| found.span.start);
        let lines: Vec<&str> = text.lines().collect();
        let blank = |line: usize| {
            lines.get(line - 1).is_none_or(|text| text.trim().is_empty() || text.trim_start().starts_with('#'))
        };
        let starts = Lines::of(text);
        let line = |found: &Finding| starts.line(found.span.start);
        let adjoin = |one: &Finding, next: &Finding| (line(one) + 1..line(next)).all(blank);
        let causes = found.chunk_by(adjoin).flat_map(|run| match run {
            [first, .., last] if line(last) - line(first) >= CASCADE => std::slice::from_ref(first),
            _ => run,
        });
        let causes: Vec<Finding> = causes.cloned().collect();
        self.findings.splice(0..0, causes);
    }

    /// The faults in the order of the files.
    pub(super) fn finish(self) -> Faults {
        let Self { sources, mut findings } = self;
        findings.sort_by_key(|found| (found.source.0, found.span.start));
        findings.dedup();
        let lines: Vec<Lines> = sources.iter().map(|source| Lines::of(&source.text)).collect();
        let faults = findings.into_iter().map(|found| settle(&sources, &lines, found)).collect();
        Faults { sources, faults }
    }
}

fn settle(sources: &[Source], lines: &[Lines], found: Finding) -> Fault {
    let (file, text) = sources.get(found.source.0).map_or(("", ""), |source| (source.name.as_str(), &source.text));
    let start = boundary(text, found.span.start);
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |length| start + length);
    let end = boundary(text, found.span.end).clamp(start, line_end);
    let (line, column) = lines.get(found.source.0).map_or((1, 1), |lines| lines.place(text, start));
    Fault {
        file: file.to_owned(),
        line,
        column,
        message: found.message,
        expected: found.expected,
        help: found.help,
        span: start..end,
        source: found.source.0,
    }
}

/// Where the lines of a text begin: there may be as many faults as lines.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(newline, _)| newline + 1)).collect())
    }

    /// The line of an offset, from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }

    /// Line and column of the start of a character, both from 1, the column in characters.
    fn place(&self, text: &str, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = line.checked_sub(1).and_then(|before| self.0.get(before)).copied().unwrap_or(0);
        (line, text[start..offset].chars().count() + 1)
    }
}

/// Begin and end of the line, or the lines, that a span is on.
fn line_around(text: &str, span: &Range<usize>) -> (usize, usize) {
    let start = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |length| span.end + length);
    (start, end)
}

/// The start of the character at an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset.min(text.len())).rev().find(|&offset| text.is_char_boundary(offset)).unwrap_or(0)
}
