//! Generators, and what is drawn from them.

use crate::{copied, number, same, seen};
use birth_death::random::{bounded, normal};
use birth_death::{Error, Generator, Marginal, NoRewind, Prior, ProductPrior, Real, Rewind, Snapshot, Stream};
use core::hint::black_box as hide;
use rand_core::{Rng, TryRng};

pub(crate) fn all<R: Real>() -> Result<(), Error> {
    let mut stream = Stream::seeded(hide(7), hide(1));
    same(&stream);
    let mut other = Rewind::new(stream.clone());
    seen(other.get());
    same(&other);
    generator(&mut other);
    generator(&mut stream);
    generator(&mut &mut stream);
    let mut last = NoRewind(stream.clone());
    same(&last);
    generator(&mut last);
    let any: &mut dyn Rng = &mut stream;
    generator(&mut NoRewind(any));

    let mut words = [0; Stream::WORDS];
    stream.save(hide(&mut words[..]));
    copied(&Stream::restore(hide(&words[..]))?);

    seen((bounded(&mut stream, hide(10)), normal::<R, _>(&mut stream)));
    let laws = [
        Marginal::Constant(number::<R>(1.0)),
        Marginal::Normal { mean: number(0.0), sd: number(1.0) },
        Marginal::Uniform { low: number(-1.0), high: number(1.0) },
    ];
    for law in &laws {
        same(law);
        hide(law).check()?;
        seen(hide(*law).map(Real::to_f64));
        seen(hide(law).draw(&mut stream));
    }
    prior(&ProductPrior::new(hide(laws))?, &mut stream);
    prior(&&ProductPrior::new(hide(&laws[..]))?, &mut stream);
    same(&ProductPrior::new(hide(laws))?);
    Ok(())
}

fn generator<G: Generator + TryRng>(rng: &mut G) {
    rng.mark();
    let mut bytes = [0; 11];
    seen(rng.try_next_u32().is_ok() & rng.try_next_u64().is_ok() & rng.try_fill_bytes(hide(&mut bytes[..])).is_ok());
    seen(bytes);
    rng.rewind();
}

fn prior<R: Real, P: Prior<R>>(prior: &P, rng: &mut Stream) {
    let mut particle = [R::ZERO; 3];
    prior.draw(rng, hide(&mut particle[..]));
    seen((particle, prior.dim()));
}
