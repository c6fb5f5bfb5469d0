/// Checkpoints of every run: all, or as many as the build's environment says in `CANON_CHECKPOINTS`, for slow machines.
const CHECKPOINTS: u64 = match option_env!("CANON_CHECKPOINTS") {
    Some(digits) => match digits.as_bytes() {
        [digit @ b'0'..=b'9'] => (*digit - b'0') as u64,
        _ => panic!("CANON_CHECKPOINTS is a digit"),
    },
    None => birth_death_canon::CHECKPOINTS,
};
