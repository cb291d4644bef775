// Claims of cores: files of a folder, held by this process's objects or by another process.
#include "hugepages/host/core_claims.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/folder.hpp"

namespace crosswire::core_claims_test {
namespace {

class Claims : public ::testing::Test {
 protected:
  std::string folder() const { return files_.path(); }
  std::string path(const std::string& name) const { return files_.file(name); }

 private:
  test::Folder files_;
};

TEST_F(Claims, ACoreThatIsClaimedAloneIsNobodyElses) {
  CoreClaims one(folder());
  CoreClaims other(folder());
  EXPECT_FALSE(core_holder(3, folder()));
  const CoreClaim first = one.claim(3, CoreUse::alone);
  EXPECT_FALSE(first.holder);
  EXPECT_EQ(first.fault, "");
  EXPECT_EQ(core_holder(3, folder()), getpid());
  EXPECT_EQ(other.claim(3, CoreUse::alone).holder, getpid());
  EXPECT_EQ(other.claim(3, CoreUse::shared).holder, getpid());
  EXPECT_FALSE(other.claim(4, CoreUse::alone).holder);
}

TEST_F(Claims, ACoreMayBeSharedByThoseWhoAllShareIt) {
  CoreClaims one(folder());
  CoreClaims other(folder());
  EXPECT_FALSE(one.claim(3, CoreUse::shared).holder);
  EXPECT_EQ(other.claim(3, CoreUse::shared).holder, getpid()) << "it is told, and has it too";
  EXPECT_EQ(core_holder(3, folder()), getpid());
  CoreClaims third(folder());
  EXPECT_TRUE(third.claim(3, CoreUse::alone).holder);
}

TEST_F(Claims, AHolderIsOneWhoLives) {
  CoreClaims one(folder());
  EXPECT_FALSE(one.claim(3, CoreUse::shared).holder);
  const pid_t child = fork();
  if (child == 0) {
    CoreClaims claims(folder());
    _exit(claims.claim(3, CoreUse::shared).holder == getppid() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(core_holder(3, folder()), getpid()) << "not the one that came last, and is gone";
}

TEST_F(Claims, AClaimEndsWithItsProcessAndTheFileThatStaysIsNoClaim) {
  const pid_t child = fork();
  if (child == 0) {
    CoreClaims claims(folder());
    _exit(claims.claim(3, CoreUse::alone).holder ? 1 : 0);  // without destructors, as by a crash
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::exists(path("crosswire-core-3")));
  EXPECT_FALSE(core_holder(3, folder()));
  CoreClaims claims(folder());
  EXPECT_FALSE(claims.claim(3, CoreUse::alone).holder);
}

TEST_F(Claims, AFileThatAnotherUserMadeServes) {
  const mode_t before = umask(0077);
  CoreClaims claims(folder());
  EXPECT_FALSE(claims.claim(3, CoreUse::alone).holder);
  umask(before);
  struct stat file {};
  ASSERT_EQ(stat(path("crosswire-core-3").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777u, 0666u);
}

TEST_F(Claims, WhereNoFileCanBeMadeThatIsSaidInOneLine) {
  CoreClaims claims(path("nowhere"));
  const CoreClaim claim = claims.claim(3, CoreUse::alone);
  EXPECT_FALSE(claim.holder);
  EXPECT_NE(claim.fault.find("nowhere/crosswire-core-3: No such file"), std::string::npos) << claim.fault;
  // Nor is a link followed that somebody has laid there.
  std::ofstream(path("precious")) << "mine";
  std::filesystem::create_symlink(path("precious"), path("crosswire-core-5"));
  CoreClaims here(folder());
  EXPECT_NE(here.claim(5, CoreUse::alone).fault, "");
  EXPECT_EQ(std::filesystem::file_size(path("precious")), 4u);
}

}  // namespace
}  // namespace crosswire::core_claims_test
