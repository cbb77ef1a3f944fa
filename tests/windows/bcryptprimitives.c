/* Wine before 9 has no bcryptprimitives.dll, from which Rust's standard library takes its random numbers. For tests under
   Wine only: every Windows has its own. */
#include <windows.h>
#include <bcrypt.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    return BCRYPT_SUCCESS(BCryptGenRandom(NULL, data, (ULONG)length, BCRYPT_USE_SYSTEM_PREFERRED_RNG));
}
