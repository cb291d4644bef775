// Claims of cores among the processes of a host: who polls a core holds a lock on a file of its number, which ends with
// the process, however that ends. The file stays, and says nothing by itself. Set-up only; never by a stage.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace crosswire {

/// Every program that polls finds the others' claims here; all users may write into it.
inline constexpr const char* kCoreClaimsFolder = "/run/lock";

/// How a core is claimed: `alone` goes with no other claim, `shared` with other shared ones.
enum class CoreUse { alone, shared };

/// What came of a claim.
struct CoreClaim {
  // Another process's id, 0 = not known. A claim of the core `alone` has failed then; a `shared` one holds, unless the
  // other is alone.
  std::optional<int> holder;
  std::string fault;  // why nobody can tell, one line: not claimed either
};

/// The claims of this process. They end with it, or with the object.
class CoreClaims {
 public:
  explicit CoreClaims(std::string folder = kCoreClaimsFolder) : folder_(std::move(folder)) {}
  CoreClaims(CoreClaims&& other) noexcept = default;
  CoreClaims& operator=(CoreClaims&&) = delete;
  ~CoreClaims();

  /// Waits some ten milliseconds at most. A core is claimed once only by one object.
  [[nodiscard]] CoreClaim claim(unsigned core, CoreUse use);

 private:
  std::string folder_;
  std::vector<int> locks_;  // open files
};

/// The process that has claimed a core, 0 = one whose id is not known; none where nobody has, or none can tell.
std::optional<int> core_holder(unsigned core, const std::string& folder = kCoreClaimsFolder);

}  // namespace crosswire
