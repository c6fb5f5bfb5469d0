/* Every energy, scheme, prior and the checkpoint, in both precisions: prints digests, which examples/digests.rs says
 * from the core in Rust. */
#include "birth_death.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bd_error error;

static void fail(const char *what) {
    printf("failed: %s: %s (%.*s)\n", what, bd_error_text(error.code), (int)error.what_length,
           error.what_length ? error.what : "");
    exit(1);
}

#define OK(call) ((call) == BD_OK ? (void)0 : fail(#call))

#define FNV UINT64_C(0xcbf29ce484222325)

static uint64_t fnv(uint64_t digest, const void *bytes, size_t length) {
    for (const unsigned char *byte = bytes; length--; byte++) digest = (digest ^ *byte) * 0x100000001b3;
    return digest;
}

static void line(const char *name, size_t bits, uint64_t digest) {
    printf("%s, f%u: %08lx%08lx\n", name, (unsigned)bits, (unsigned long)(digest >> 32),
           (unsigned long)(digest & 0xffffffff));
}

#define RUN_SIZE_f32 BD_RUN_SIZE_F32
#define RUN_SIZE_f64 BD_RUN_SIZE_F64
#define CHECKPOINT_SIZE_f32 BD_CHECKPOINT_SIZE_F32
#define CHECKPOINT_SIZE_f64 BD_CHECKPOINT_SIZE_F64

#define REAL float
#define T(name) name##_f32
#include "every.h"

#define REAL double
#define T(name) name##_f64
#include "every.h"

int main(void) {
    all_f32();
    all_f64();
    return 0;
}
