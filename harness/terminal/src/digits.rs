//! Numbers as a person reads them.

/// Four significant digits, in whichever notation is shorter.
pub fn number(x: f64) -> String {
    let scientific = format!("{x:.3e}");
    let Some((_, Ok(exponent))) = scientific.split_once('e').map(|(digits, e)| (digits, e.parse::<i32>())) else {
        return x.to_string();
    };
    if !(-3..5).contains(&exponent) {
        return format!("{x:.2e}");
    }
    let decimals = usize::try_from(3 - exponent).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
