//! The implementation against its claims: [`oracles`], planted [`defects`], [`claims`], the [`report`], and the
//! commands `verify`, `report` and `calibrate`.

pub mod arguments;
pub mod calibrate;
pub mod claims;
pub mod defects;
pub mod generators;
pub mod oracles;
pub mod report;
pub mod subject;
pub mod verify;
