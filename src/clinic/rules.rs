//! What the rules are that plans are examined by.

use super::{Error, ErrorKind};
use crate::{
    findings::{self, RULES, Rule},
    scenario::nearest,
};

/// All rules, in the order of the docs.
pub fn rules() -> &'static [Rule] {
    RULES
}

/// The rule of this id.
///
/// # Errors
/// There is none: the ids that are near or share a word, and how all are listed.
pub fn rule(id: &str) -> Result<&'static Rule, Error> {
    findings::rule(id).ok_or_else(|| {
        let list = "`latclinic explain --rules` lists all";
        let near = near(id, RULES.iter().map(|rule| rule.id));
        Error::new(ErrorKind::Usage, format!("there is no rule {id:?}")).with_hint(match near.join(" or ") {
            near if near.is_empty() => list.to_owned(),
            near => format!("did you mean {near}? {list}"),
        })
    })
}

/// The nearest id first, then those that share a word.
fn near<'a>(id: &str, ids: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
    let words = |id: &str| id.to_lowercase().split(['-', '_', ' ']).map(str::to_owned).collect::<Vec<_>>();
    let asked = words(id);
    let mut near: Vec<&str> = nearest(id, ids.clone()).into_iter().collect();
    for other in ids.filter(|other| words(other).iter().any(|word| asked.contains(word))) {
        if !near.contains(&other) {
            near.push(other);
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_is_not_there_is_told_with_what_is_near() {
        let ids = || ["seq-scan-filter", "index-filter", "jit"].into_iter();
        assert_eq!(near("seqscan-filter", ids()), ["seq-scan-filter", "index-filter"]);
        assert_eq!(near("Seq Scan", ids()), ["seq-scan-filter"]);
        assert!(near("nothing", ids()).is_empty());
        assert_eq!(rule("zzzzzzzz").unwrap_err().hint(), Some("`latclinic explain --rules` lists all"));
        assert!(rule("seq-scan-filter").is_ok());
    }
}
