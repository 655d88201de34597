//! Values of results as texts, and when two of them are the same.

use std::borrow::Cow;

use tokio_postgres::types::{Kind, Type};

/// How far two `double precision` may be apart, relative to the greater: plans may add in another order.
const FLOAT8_TOLERANCE: f64 = 1e-9;

/// The same of `real`.
const FLOAT4_TOLERANCE: f64 = 1e-5;

/// How the text of a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Text,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// As it is; as a sort key by its value: 1.0 and 1.00 are the same.
    Numeric,
    /// As it is; as a sort key without its case.
    Citext,
}

impl Form {
    pub(crate) fn of(ty: &Type) -> Self {
        match (ty, ty.kind()) {
            (_, Kind::Domain(base)) => Self::of(base),
            (&Type::FLOAT4, _) => Self::Float4,
            (&Type::FLOAT8, _) => Self::Float8,
            (&Type::NUMERIC, _) => Self::Numeric,
            (ty, Kind::Simple) if ty.name() == "citext" => Self::Citext,
            _ => Self::Text,
        }
    }

    /// Whether it is a floating point number.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Float4 | Self::Float8)
    }

    /// How a value of this form is compared with one of another.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (one, other) if one.is_float() && other.is_float() => Self::Float4,
            _ => Self::Text,
        }
    }

    /// Whether two values are the same.
    pub fn same(self, one: Option<&str>, other: Option<&str>) -> bool {
        one == other || matches!((one, other), (Some(one), Some(other)) if self.is_close(one, other))
    }

    /// Whether two values are the same as sort keys.
    pub fn same_key(self, one: Option<&str>, other: Option<&str>) -> bool {
        self.same(one, other)
            || matches!((one, other), (Some(one), Some(other)) if self.sorted(one) == self.sorted(other))
    }

    fn is_close(self, one: &str, other: &str) -> bool {
        let tolerance = match self {
            Self::Float4 => FLOAT4_TOLERANCE,
            Self::Float8 => FLOAT8_TOLERANCE,
            _ => return false,
        };
        match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => {
                one == other || one.is_finite() && (one - other).abs() <= tolerance * one.abs().max(other.abs())
            }
            _ => false,
        }
    }

    /// A text that values that are the same mostly share: floating point numbers are rounded, and two that are close may be rounded
    /// apart.
    pub(crate) fn rounded(self, text: &str) -> Cow<'_, str> {
        let digits = match self {
            Self::Float4 => 4,
            Self::Float8 => 8,
            _ => return Cow::Borrowed(text),
        };
        match text.parse::<f64>() {
            // Without the sign of a zero.
            Ok(number) => Cow::Owned(format!("{:.digits$e}", number + 0.0)),
            Err(_) => Cow::Borrowed(text),
        }
    }

    /// A text that values share that are the same as sort keys.
    pub(crate) fn sorted(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Numeric if text.contains('.') => Cow::Borrowed(text.trim_end_matches('0').trim_end_matches('.')),
            Self::Citext => Cow::Owned(text.to_lowercase()),
            form => form.rounded(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Form::Float8, "0.30000000000000004", "0.3", true)]
    #[case(Form::Float8, "0.30000001", "0.3", false)]
    #[case(Form::Float4, "0.300001", "0.3", true)]
    #[case(Form::Float8, "-0", "0", true)]
    #[case(Form::Float8, "NaN", "NaN", true)]
    #[case(Form::Float8, "Infinity", "-Infinity", false)]
    #[case(Form::Float8, "Infinity", "1e308", false)]
    #[case(Form::Float8, "1e-300", "0", false)]
    #[case(Form::Numeric, "0.30", "0.3", false)]
    #[case(Form::Text, "1.0", "1.00", false)]
    fn floats_are_the_same_within_their_tolerance(
        #[case] form: Form,
        #[case] one: &str,
        #[case] other: &str,
        #[case] same: bool,
    ) {
        assert_eq!(form.same(Some(one), Some(other)), same);
        assert!(form.same(None, None) && !form.same(Some(one), None));
    }

    #[rstest]
    #[case(Form::Numeric, "1.50", "1.5", true)]
    #[case(Form::Numeric, "100", "1", false)]
    #[case(Form::Numeric, "1.0", "1", true)]
    #[case(Form::Citext, "Ab", "aB", true)]
    #[case(Form::Text, "Ab", "aB", false)]
    fn sort_keys_are_the_same_by_value(#[case] form: Form, #[case] one: &str, #[case] other: &str, #[case] same: bool) {
        assert_eq!(form.same_key(Some(one), Some(other)), same);
    }

    proptest! {
        #[test]
        fn sameness_has_no_direction(one in any::<f64>(), other in any::<f64>()) {
            let (one, other) = (one.to_string(), other.to_string());
            for form in [Form::Float4, Form::Float8] {
                prop_assert!(form.same(Some(&one), Some(&one)));
                prop_assert_eq!(form.same(Some(&one), Some(&other)), form.same(Some(&other), Some(&one)));
            }
        }
    }
}
