//! What a pasted plan has lost.

/// What was damaged in a plan, as far as a reader has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Damage {
    /// The lines above its first node are missing: it is a part of a plan.
    pub is_fragment: bool,
    /// The lines have lost their indentation, and what is below what follows from what each node takes.
    pub is_rebuilt: bool,
    /// What followed it in a log was a plan that was cut off, and is left out.
    pub is_followed_by_cut: bool,
}
