/* Start-up of the example on QEMU's mps2-an386, a Cortex-M4F: vectors, the floating-point unit, then newlib's own
 * start-up, whose files and exit code go through semihosting. A board's own start-up code takes the place of all this.
 */
#include <stdint.h>

extern uint32_t __stack[];
extern void _start(void);

#define CPACR (*(volatile uint32_t *)0xe000ed88)

__attribute__((noreturn)) static void reset(void) {
    CPACR |= 0xfu << 20; /* full access to coprocessors 10 and 11 */
    __asm__ volatile("dsb\n\tisb");
    _start();
    for (;;) {}
}

/* SYS_EXIT with anything but ADP_Stopped_ApplicationExit: QEMU ends with code 1 */
__attribute__((noreturn)) static void fault(void) {
    register uint32_t operation __asm__("r0") = 0x18;
    register uint32_t reason __asm__("r1") = 0x20023;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(reason) : "memory");
    for (;;) {}
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))__stack, reset, fault, fault, fault, fault, fault};
