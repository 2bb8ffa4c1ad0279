//! Fabric's protobuf messages, as generated: `proto/` holds the definitions and their licence.
#![allow(missing_docs, clippy::all)]

include!(concat!(env!("OUT_DIR"), "/fabric.rs"));
