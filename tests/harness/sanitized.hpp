#pragma once

namespace dl::test {

/// True when a sanitizer watches: memory then behaves differently, and everything takes its time.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

}  // namespace dl::test
