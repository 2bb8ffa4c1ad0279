//! Tests of the whole store, under the seeded runtime unless they need a real disk.

mod commitment;
mod crash;
mod disk;
mod queries;
mod world;
