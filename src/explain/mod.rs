//! Plan JSON of any supported version to one normal form, and figures from it.
