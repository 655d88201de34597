//! A generator compiled for one type.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rand_distr::{Distribution, Zipf, weighted::WeightedAliasIndex};

use super::{
    cell::{self, Cell, Fixed},
    column_type::ColumnType,
    encode::encode,
    error::{Error, Result},
    moment::MomentLaw,
    natural_type::natural_type,
    number::{NumberLaw, NumberType},
    random::Random,
    referenced::referenced,
    sink::{BinarySink, Sink, ValueSink, write_value},
    text::{self, Pattern},
};
use crate::{
    draw::random::Stream,
    scenario::{Dataset, Generator, TextKind, UuidVersion, Value, Weighted},
};

/// 2025-01-01T00:00:00Z in milliseconds since 1970: the moment of a version 7 UUID in row 0.
const UUID_EPOCH_MS: u64 = 1_735_689_600_000;

/// Draws values of one type. Cheap to share between threads; each thread brings its own [`Scratch`].
#[derive(Debug, Clone)]
pub struct Sampler {
    kind: Kind,
}

/// Buffers that drawing reuses.
#[derive(Debug, Default)]
pub struct Scratch {
    text: Vec<u8>,
    json: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Kind {
    One(Fixed),
    Choice(Vec<Fixed>, WeightedAliasIndex<f64>),
    Number(NumberLaw, NumberType),
    Boolean(f64),
    Moment(MomentLaw, MomentType),
    Text { kind: TextKind, min: i64, max: i64 },
    Pattern(Pattern),
    Uuid { version: UuidVersion, as_text: bool },
    Json { template: Template, binary: bool },
    Bytes { min: i64, max: i64 },
    Inet { network: IpAddr, host_mask: u128 },
    Array { element: Box<Sampler>, element_oid: u32, min: i64, max: i64 },
    ForeignKey { column: Box<ColumnSampler>, rows: u64, skew: Option<Zipf<f64>> },
}

#[derive(Debug, Clone, Copy)]
enum MomentType {
    Date,
    Timestamp,
    Timestamptz,
}

/// What values are made for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target<'a> {
    /// A column or parameter of this type.
    Type(&'a ColumnType),
    /// A leaf of a JSON template.
    Json,
}

impl Sampler {
    /// Compiles a generator for values of type `ty`. `dataset` is where foreign keys look; `rows` is the number of rows that
    /// will be drawn, `None` for a parameter, whose rows (operations) have no end: there a sequence starts over where its
    /// type ends, and growing moments are an error.
    ///
    /// # Errors
    /// When the generator cannot make the type (the message says which could) or its values do not fit it.
    pub fn compile(generator: &Generator, ty: &ColumnType, dataset: &Dataset, rows: Option<u64>) -> Result<Self> {
        Self::for_target(generator, Target::Type(ty), dataset, rows)
    }

    pub(super) fn for_target(
        generator: &Generator,
        target: Target<'_>,
        dataset: &Dataset,
        rows: Option<u64>,
    ) -> Result<Self> {
        let natural;
        let ty = match target {
            Target::Type(ColumnType::Other(_)) if !is_given(generator) => {
                natural = natural_type(generator, dataset);
                &natural
            }
            Target::Type(ty) => ty,
            Target::Json => {
                natural = natural_type(generator, dataset);
                &natural
            }
        };
        let name = name(generator);
        let asked = if let Target::Type(asked) = target { asked } else { ty };
        let misfit = || Error::new(format!("a {name} generator cannot make {asked}: use {}", asked.generators()));
        let faulty = |fault: String| Error::new(format!("the {name} generator cannot fill {asked}: {fault}"));
        let number = || NumberType::of(ty).ok_or_else(misfit);
        let is_text = matches!(ty, ColumnType::Text | ColumnType::TextLike(_) | ColumnType::Enum(_));
        let kind = match generator {
            Generator::Constant(value) => Kind::One(Fixed::new(value, target)?),
            Generator::Choice(choices) => choice(choices, target)?,
            Generator::Sequence { start, step } => {
                Kind::Number(NumberLaw::sequence(*start, *step, rows, number()?).map_err(faulty)?, number()?)
            }
            Generator::Uniform { min, max, decimals } => {
                Kind::Number(NumberLaw::uniform(*min, *max, *decimals, number()?).map_err(faulty)?, number()?)
            }
            Generator::Zipf { min, max, exponent } => {
                Kind::Number(NumberLaw::zipf(*min, *max, *exponent, number()?).map_err(faulty)?, number()?)
            }
            Generator::Normal { mean, deviation, min, max, decimals } => {
                let law = NumberLaw::normal(*mean, *deviation, (*min, *max), *decimals, number()?);
                Kind::Number(law.map_err(faulty)?, number()?)
            }
            Generator::Timestamp { from, to, order } => {
                let moment = match ty {
                    ColumnType::Date => MomentType::Date,
                    ColumnType::Timestamp => MomentType::Timestamp,
                    ColumnType::Timestamptz => MomentType::Timestamptz,
                    _ => return Err(misfit()),
                };
                Kind::Moment(MomentLaw::new(*from, *to, *order, rows).map_err(faulty)?, moment)
            }
            Generator::Text { min_length, max_length, kind } if is_text => {
                let (min, max) = lengths(*min_length, *max_length).map_err(faulty)?;
                Kind::Text { kind: *kind, min, max }
            }
            Generator::Pattern(pattern) if is_text => Kind::Pattern(Pattern::new(pattern)),
            Generator::Uuid(version) if is_text || *ty == ColumnType::Uuid => {
                Kind::Uuid { version: *version, as_text: is_text }
            }
            Generator::Json(template) if matches!(ty, ColumnType::Json | ColumnType::Jsonb) => {
                Kind::Json { template: Template::compile(template, dataset, rows)?, binary: *ty == ColumnType::Jsonb }
            }
            Generator::Bytes { min_length, max_length } if *ty == ColumnType::Bytea => {
                let (min, max) = lengths(*min_length, *max_length).map_err(faulty)?;
                Kind::Bytes { min, max }
            }
            Generator::Inet { network, prefix } if *ty == ColumnType::Inet => {
                let width = u32::from(cell::host_bits(*network));
                let host_bits = width
                    .checked_sub(u32::from(*prefix))
                    .ok_or_else(|| faulty(format!("a prefix of {prefix} is longer than the address")))?;
                let host_mask = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
                Kind::Inet { network: *network, host_mask }
            }
            Generator::Boolean { true_share } if *ty == ColumnType::Bool => Kind::Boolean(*true_share),
            Generator::Array { element, min_length, max_length } => {
                let ColumnType::Array(element_type) = ty else { return Err(misfit()) };
                if matches!(asked, ColumnType::Other(_)) {
                    return Err(misfit());
                }
                if matches!(**element, Generator::Array { .. }) && matches!(target, Target::Type(_)) {
                    return Err(faulty("an array of arrays cannot be made".into()));
                }
                let (min, max) = lengths(*min_length, *max_length).map_err(faulty)?;
                let element_target = match target {
                    Target::Type(_) => Target::Type(element_type),
                    Target::Json => Target::Json,
                };
                let element = Self::for_target(element, element_target, dataset, rows)?;
                Kind::Array { element: Box::new(element), element_oid: element_type.oid(), min, max }
            }
            Generator::ForeignKey { table, column, exponent } => {
                let (table, column) = referenced(dataset, table, column)?;
                if matches!(column.generator, Generator::ForeignKey { .. }) {
                    return Err(faulty(format!(
                        "{}.{} is a foreign key itself; refer to where it points",
                        table.name, column.name
                    )));
                }
                let skew = exponent.map(|exponent| {
                    Zipf::new(table.rows as f64, exponent)
                        .map_err(|cause| faulty(format!("exponent {exponent}: {cause}")))
                });
                Kind::ForeignKey {
                    column: Box::new(ColumnSampler::for_target(dataset, table, column, target)?),
                    rows: table.rows,
                    skew: skew.transpose()?,
                }
            }
            _ => return Err(misfit()),
        };
        Ok(Self { kind })
    }

    /// A value, as a scenario file would write it. `row` is the row or the number of the operation.
    pub fn value(&self, random: &mut Random, row: u64) -> Value {
        let mut sink = ValueSink::default();
        self.draw(random, row, &mut Scratch::default(), &mut sink);
        sink.0.pop().unwrap_or(Value::Null)
    }

    /// Appends a value as binary COPY has it: int32 length (-1 for NULL), bytes.
    pub fn write_field(&self, random: &mut Random, row: u64, scratch: &mut Scratch, out: &mut Vec<u8>) {
        self.draw(random, row, scratch, &mut BinarySink(out));
    }

    #[inline]
    pub(super) fn draw(&self, random: &mut Random, row: u64, scratch: &mut Scratch, sink: &mut impl Sink) {
        match &self.kind {
            Kind::One(fixed) => sink.cell(Cell::Fixed(fixed)),
            Kind::Choice(values, index) => sink.cell(Cell::Fixed(&values[index.sample(random)])),
            Kind::Number(law, ty) => sink.cell(law.draw(*ty, random, row)),
            Kind::Boolean(true_share) => sink.cell(Cell::Bool(random.unit() < *true_share)),
            Kind::Moment(law, ty) => {
                let moment = law.draw(random, row);
                sink.cell(match ty {
                    MomentType::Date => Cell::Date(cell::days(moment)),
                    MomentType::Timestamp => Cell::Timestamp(cell::micros(moment)),
                    MomentType::Timestamptz => Cell::Timestamptz(cell::micros(moment)),
                });
            }
            Kind::Text { kind, min, max } => {
                scratch.text.clear();
                let length = random.within(*min, *max) as usize;
                text::draw(*kind, length, random, &mut scratch.text);
                sink.cell(Cell::Text(&scratch.text));
            }
            Kind::Pattern(pattern) => {
                scratch.text.clear();
                pattern.draw(random, &mut scratch.text);
                sink.cell(Cell::Text(&scratch.text));
            }
            Kind::Uuid { version, as_text } => {
                let uuid = draw_uuid(*version, random, row);
                if *as_text {
                    let mut buffer = uuid::Uuid::encode_buffer();
                    sink.cell(Cell::Text(uuid.hyphenated().encode_lower(&mut buffer).as_bytes()));
                } else {
                    sink.cell(Cell::Uuid(uuid.into_bytes()));
                }
            }
            Kind::Json { template, binary } => {
                // Taken out, so that the leaves can have the scratch; a template within a template finds a fresh one.
                let mut json = std::mem::take(&mut scratch.json);
                json.clear();
                template.draw(random, row, scratch, &mut json);
                sink.cell(if *binary { Cell::Jsonb(&json) } else { Cell::Json(&json) });
                scratch.json = json;
            }
            Kind::Bytes { min, max } => {
                scratch.text.clear();
                let length = random.within(*min, *max) as usize;
                scratch.text.resize(length, 0);
                rand::Rng::fill_bytes(random, &mut scratch.text);
                sink.cell(Cell::Bytea(&scratch.text));
            }
            Kind::Inet { network, host_mask } => sink.cell(Cell::Inet(draw_inet(*network, *host_mask, random))),
            Kind::Array { element, element_oid, min, max } => {
                let length = random.within(*min, *max) as usize;
                sink.array(*element_oid, length, |sink| element.draw(random, row, scratch, sink));
            }
            Kind::ForeignKey { column, rows, skew } => {
                let row = match skew {
                    None => random.below(*rows),
                    Some(law) => (law.sample(random) as u64).clamp(1, *rows) - 1,
                };
                column.draw(row, scratch, sink);
            }
        }
    }
}

impl Fixed {
    fn new(value: &Value, target: Target<'_>) -> Result<Self> {
        let mut bytes = Vec::new();
        let is_null = match target {
            Target::Type(ty) => encode(value, ty, &mut bytes)?,
            Target::Json => {
                write_value(value, &mut bytes);
                false
            }
        };
        Ok(Self { value: value.clone(), bytes: (!is_null).then_some(bytes) })
    }
}

fn choice(choices: &[Weighted], target: Target<'_>) -> Result<Kind> {
    let values = choices.iter().map(|choice| Fixed::new(&choice.value, target)).collect::<Result<Vec<Fixed>>>()?;
    let index = WeightedAliasIndex::new(choices.iter().map(|choice| choice.weight).collect())
        .map_err(|cause| Error::new(format!("the weights of the choice cannot be used: {cause}")))?;
    Ok(Kind::Choice(values, index))
}

fn lengths(min: u32, max: u32) -> std::result::Result<(i64, i64), String> {
    if min <= max { Ok((min.into(), max.into())) } else { Err(format!("its lengths {min} to {max} are no range")) }
}

fn draw_uuid(version: UuidVersion, random: &mut Random, row: u64) -> uuid::Uuid {
    let bits = (u128::from(random.bits()) << 64) | u128::from(random.bits());
    match version {
        UuidVersion::V4 => uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid(),
        UuidVersion::V7 => {
            let mut tail = [0; 10];
            tail.copy_from_slice(&bits.to_be_bytes()[..10]);
            uuid::Builder::from_unix_timestamp_millis(UUID_EPOCH_MS.wrapping_add(row), &tail).into_uuid()
        }
    }
}

fn draw_inet(network: IpAddr, host_mask: u128, random: &mut Random) -> IpAddr {
    match network {
        IpAddr::V4(network) => {
            let mask = host_mask as u32;
            Ipv4Addr::from_bits(network.to_bits() & !mask | random.bits() as u32 & mask).into()
        }
        IpAddr::V6(network) => {
            let bits = (u128::from(random.bits()) << 64) | u128::from(random.bits());
            Ipv6Addr::from_bits(network.to_bits() & !host_mask | bits & host_mask).into()
        }
    }
}

/// Whether the scenario gives the values themselves, or points to where they are made.
fn is_given(generator: &Generator) -> bool {
    matches!(generator, Generator::Constant(_) | Generator::Choice(_) | Generator::ForeignKey { .. })
}

/// What a scenario file calls it.
fn name(generator: &Generator) -> &'static str {
    match generator {
        Generator::Sequence { .. } => "sequence",
        Generator::Constant(_) => "constant",
        Generator::Uniform { .. } => "uniform",
        Generator::Zipf { .. } => "zipf",
        Generator::Normal { .. } => "normal",
        Generator::Choice(_) => "choice",
        Generator::Timestamp { .. } => "timestamp",
        Generator::Text { .. } => "text",
        Generator::Pattern(_) => "pattern",
        Generator::Uuid(_) => "uuid",
        Generator::Json(_) => "json",
        Generator::Array { .. } => "array",
        Generator::ForeignKey { .. } => "foreign key",
        Generator::Bytes { .. } => "bytes",
        Generator::Inet { .. } => "inet",
        Generator::Boolean { .. } => "boolean",
    }
}

/// A compiled template: fixed text with samplers between.
#[derive(Debug, Clone)]
pub(crate) struct Template(pub(crate) Vec<Segment>);

#[derive(Debug, Clone)]
pub(crate) enum Segment {
    Text(Vec<u8>),
    Leaf(Box<Sampler>),
}

/// The values of one column, each from nothing but the dataset's seed, the table, the column and the row.
#[derive(Debug, Clone)]
pub struct ColumnSampler {
    pub(crate) stream: Stream,
    pub(crate) null_share: f64,
    pub(crate) sampler: Sampler,
}
