//! One file a format; rows and units are made once, in one place.
