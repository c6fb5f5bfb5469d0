//! The simulation of a configuration: the core's, with energies and priors that are chosen when the program runs.

use std::sync::Arc;

use birth_death::{Dynamics, Energy, Error, Marginal, ProductPrior, Real, Scheme, Stream};

use crate::config::Config;

/// A product prior with its marginals on the heap, shared between replicates.
pub type Product<R> = ProductPrior<Arc<[Marginal<R>]>>;

/// The core's simulation, of any energy.
pub type Simulation<'e, R, P = Product<R>, G = Stream> =
    birth_death::Simulation<R, Box<dyn Energy<R> + Send + 'e>, P, G>;

/// The dynamics of a configuration.
///
/// # Errors
/// The core's, for a value that it does not accept.
pub fn dynamics<R: Real>(config: &Config, prior: Option<Product<R>>) -> Result<Dynamics<R, Product<R>>, Error> {
    let scheme = match prior {
        Some(prior) => config.scheme.map(|()| prior),
        None if config.scheme.has_events() => Scheme::BirthDeath,
        None => Scheme::GradientFlow,
    };
    let dynamics = Dynamics::new(scheme, R::from_f64(config.dt), R::from_f64(config.alpha))?
        .with_rate(config.rate)?
        .with_quench_from(config.quench_from());
    Ok(if config.transport { dynamics } else { dynamics.without_transport() })
}
