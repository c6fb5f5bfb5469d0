//! What a run or a verification leaves behind: a folder of files, written whole or not at all.

mod exchange;
pub mod folder;
pub mod input;
pub mod journal;
pub mod lock;
pub mod manifest;
pub mod number;
pub mod stored;
