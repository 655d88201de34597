//! JSON from a template.

use super::{
    error::Result,
    random::Random,
    sampler::{Sampler, Scratch, Target},
    sink::{JsonSink, write_string, write_value},
};
use crate::{
    draw::sampler::{Segment, Template},
    scenario::{Dataset, JsonTemplate},
};

impl Template {
    pub(super) fn compile(template: &JsonTemplate, dataset: &Dataset, rows: Option<u64>) -> Result<Self> {
        let mut compiled = Self(Vec::new());
        compiled.append(template, dataset, rows)?;
        Ok(compiled)
    }

    fn append(&mut self, template: &JsonTemplate, dataset: &Dataset, rows: Option<u64>) -> Result<()> {
        match template {
            JsonTemplate::Literal(value) => write_value(value, self.text()),
            JsonTemplate::Array(elements) => {
                self.text().push(b'[');
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        self.text().push(b',');
                    }
                    self.append(element, dataset, rows)?;
                }
                self.text().push(b']');
            }
            JsonTemplate::Object(members) => {
                self.text().push(b'{');
                for (index, (name, member)) in members.iter().enumerate() {
                    if index > 0 {
                        self.text().push(b',');
                    }
                    write_string(name.as_bytes(), self.text());
                    self.text().push(b':');
                    self.append(member, dataset, rows)?;
                }
                self.text().push(b'}');
            }
            JsonTemplate::Generated(generator) => {
                let leaf = Sampler::for_target(generator, Target::Json, dataset, rows)?;
                self.0.push(Segment::Leaf(Box::new(leaf)));
            }
        }
        Ok(())
    }

    /// The fixed text at the end.
    fn text(&mut self) -> &mut Vec<u8> {
        if !matches!(self.0.last(), Some(Segment::Text(_))) {
            self.0.push(Segment::Text(Vec::new()));
        }
        match self.0.last_mut() {
            Some(Segment::Text(text)) => text,
            _ => unreachable!("a text was pushed above"),
        }
    }

    /// Appends JSON text.
    #[inline]
    pub(super) fn draw(&self, random: &mut Random, row: u64, scratch: &mut Scratch, out: &mut Vec<u8>) {
        for segment in &self.0 {
            match segment {
                Segment::Text(text) => out.extend_from_slice(text),
                Segment::Leaf(leaf) => leaf.draw(random, row, scratch, &mut JsonSink(out)),
            }
        }
    }
}
