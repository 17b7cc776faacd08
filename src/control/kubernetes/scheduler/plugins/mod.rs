//! The plugins of the default profile: one file each, by the name that the original gives it.
