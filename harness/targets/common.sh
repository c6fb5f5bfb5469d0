# Sourced by ./run and by the checks beside it: what builds images for other targets. The caller stands in this folder.

need() { # program, package
    command -v "$1" >/dev/null && return
    { apt-get update -q && apt-get install -yq --no-install-recommends "${@:2}"; } >&2 || {
        echo "not there and not to be installed: $1 ($2)" >&2
        exit 4
    }
}

# The distribution's toolchain has sources that match it, from which core is built for any target; rustup's is used
# where it has the target. LLD comes with rustup's toolchain, or by itself.
need_toolchain() {
    if [ ! -x /usr/bin/cargo ] || [ ! -x /usr/bin/rustc ] ||
        [ ! -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library" ]; then
        need /does/not/exist rustc-web rust-web-src cargo-web
    fi
    lld=$(command -v rust-lld || true)
    if [ -z "$lld" ] && command -v rustup >/dev/null; then
        lld=$(echo "$(rustc --print sysroot)"/lib/rustlib/*/bin/rust-lld)
    fi
    if [ ! -x "$lld" ]; then
        need ld.lld lld
        lld=$(command -v ld.lld)
    fi
}

# Where images are built, and with the same versions as the workspace.
out=${CARGO_TARGET_DIR:-$PWD/../../target}/targets
cp ../../Cargo.lock Cargo.lock

# cargo of the distribution: its arguments. RUSTFLAGS are the caller's, @LLD in them is the linker.
distribution_cargo() {
    local flags=${RUSTFLAGS:-}
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTFLAGS=${flags//@LLD/$lld} PATH=/usr/bin:$PATH \
        /usr/bin/cargo "$@"
}

# The same for a bare board's processor.
bare_cargo() { # target, command, arguments
    local flavor=
    case $1 in riscv32*) flavor=-Clinker-flavor=ld.lld ;; esac
    RUSTFLAGS="-Clinker=@LLD $flavor" \
        distribution_cargo "$2" -q -Zbuild-std=core --target "$1" --target-dir "$out" "${@:3}"
}
thumb_cargo() { # command, arguments
    bare_cargo thumbv7em-none-eabihf "$@"
}
