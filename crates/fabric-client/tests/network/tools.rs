//! What this crate makes, compared with what Fabric's own tools make.
