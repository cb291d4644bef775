// SoupBinTCP: framing in streams and datagrams, logins justified either way.
#include "netstack/wire/soup.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/netstack/wire/message_text.hpp"

namespace crosswire::wire::soup {
namespace {

using test::from_hex;
using test::Octets;
using test::to_hex;
using namespace std::string_view_literals;

// Keeps the bytes that parse() refers to.
LoginRequest login_of(std::string_view raw) {
  EXPECT_EQ(raw.size(), sizeof(LoginRequest));
  return *view_as<LoginRequest>(Bytes{reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
}

void expect_says(const LoginRequest& raw, std::string_view session, std::optional<std::uint64_t> sequence) {
  const Login login = parse(raw);
  EXPECT_EQ(login.username, "FIRM1");
  EXPECT_EQ(login.password, "secret");
  EXPECT_EQ(login.session, session);
  EXPECT_EQ(login.sequence, sequence);
}

TEST(SoupLogin, IsWrittenWithSessionAndSequenceOnTheRight) {
  const LoginRequest login = login_request("FIRM1", "secret", "S1", 42);
  EXPECT_EQ(login.username.raw(), "FIRM1 ");
  EXPECT_EQ(login.password.raw(), "secret    ");
  EXPECT_EQ(login.session.raw(), "        S1");
  EXPECT_EQ(login.sequence.raw(), "                  42");
  const LoginAccepted accepted = login_accepted("S1", 42);
  EXPECT_EQ(accepted.session.raw(), "        S1");
  EXPECT_EQ(accepted.sequence.raw(), "                  42");
}

TEST(SoupLogin, IsReadWithSessionAndSequenceOnEitherSide) {
  expect_says(login_of("FIRM1 secret            S1                  42"), "S1", 42);
  expect_says(login_of("FIRM1 secret    S1        42                  "), "S1", 42);
  expect_says(login_of("FIRM1 secret              1                   "), "", 1);
  expect_says(login_of("FIRM1\0secret\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                       "7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"sv),
              "", 7);
}

TEST(SoupLogin, HasNoSequenceWhereItIsNoNumber) {
  expect_says(login_of("FIRM1 secret            S1                    "), "S1", std::nullopt);
  expect_says(login_of("FIRM1 secret            S1                  -1"), "S1", std::nullopt);
  expect_says(login_of("FIRM1 secret            S199999999999999999999"), "S1", std::nullopt);
}

TEST(SoupLogin, ComparesCredentialsWithoutPaddingAndCase) {
  EXPECT_TRUE(same_credential("FIRM1 ", "firm1"));
  EXPECT_TRUE(same_credential("firm1\0"sv, "  FIRM1"));
  EXPECT_TRUE(same_credential("   ", ""));
  EXPECT_FALSE(same_credential("FIRM1", "FIRM"));
  EXPECT_FALSE(same_credential("FIRM1", "FIRM2"));
  EXPECT_FALSE(same_credential("[", "{"));  // case is of letters alone
}

TEST(SoupPackets, OfAFixedPayloadAreFramedInOneWrite) {
  Octets bytes(sizeof(Framed<LoginAccepted>));
  overlay<Framed<LoginAccepted>>(bytes.data()) = {.payload = login_accepted("S1", 1)};
  EXPECT_EQ(to_hex(bytes),
            "001f41"
            "20202020202020205331"
            "2020202020202020202020202020202020202031");
  bytes.resize(sizeof(Framed<LoginRejected>));
  overlay<Framed<LoginRejected>>(bytes.data()) = {.payload = {RejectCode::not_authorised}};
  EXPECT_EQ(to_hex(bytes), "00024a41");
}

TEST(SoupPackets, AreReadOneByOneFromAStream) {
  const Octets stream = from_hex("000148 0004 53 414243 0001");
  Bytes remaining = stream;
  Read read = soup::read(remaining);
  EXPECT_EQ(read.status, ReadStatus::packet);
  EXPECT_EQ(read.type, PacketType::server_heartbeat);
  EXPECT_TRUE(read.payload.empty());
  remaining = remaining.subspan(read.size);
  read = soup::read(remaining);
  EXPECT_EQ(read.status, ReadStatus::packet);
  EXPECT_EQ(read.type, PacketType::sequenced_data);
  EXPECT_EQ(to_hex(read.payload), "414243");
  remaining = remaining.subspan(read.size);
  EXPECT_EQ(soup::read(remaining).status, ReadStatus::incomplete);
}

TEST(SoupPackets, AreIncompleteUntilTheirLastByte) {
  const Octets whole = from_hex("0004 53 414243");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Octets part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(soup::read(part).status, ReadStatus::incomplete) << size;
    EXPECT_EQ(read_datagram(part).status, ReadStatus::malformed) << size;
  }
  EXPECT_EQ(soup::read(whole).status, ReadStatus::packet);
}

TEST(SoupPackets, OfLengthZeroAreMalformed) {
  EXPECT_EQ(soup::read(from_hex("0000")).status, ReadStatus::malformed);
  EXPECT_EQ(soup::read(from_hex("000048")).status, ReadStatus::malformed);
}

TEST(SoupPackets, FillADatagramExactly) {
  EXPECT_EQ(read_datagram(from_hex("000152")).status, ReadStatus::packet);
  EXPECT_EQ(read_datagram(from_hex("00015200")).status, ReadStatus::malformed);
  EXPECT_EQ(read_datagram(from_hex("000252")).status, ReadStatus::malformed);
  EXPECT_EQ(read_datagram({}).status, ReadStatus::malformed);
}

TEST(SoupPackets, AreWrittenWithinTheirRoom) {
  Octets room(8, 0xEE);
  EXPECT_EQ(begin_packet(std::span<std::uint8_t>(room).first(5), PacketType::sequenced_data, 3), nullptr);
  EXPECT_EQ(to_hex(room), "eeeeeeeeeeeeeeee");
  EXPECT_EQ(begin_packet(std::span<std::uint8_t>(room).first(6), PacketType::sequenced_data, 3), room.data() + 3);
  EXPECT_EQ(to_hex(room), "000453eeeeeeeeee");
}

TEST(SoupPackets, StayBelowWhereAClientReadsTheLengthAsNegative) {
  Octets room(70'000);
  EXPECT_NE(begin_packet(room, PacketType::sequenced_data, kMaxPayload), nullptr);
  EXPECT_EQ(overlay<be16>(room.data()), 0x7FFFu);
  EXPECT_EQ(begin_packet(room, PacketType::sequenced_data, kMaxPayload + 1), nullptr);
}

TEST(SoupPackets, StayWithinRandomBytes) {
  test::Random random;
  for (int i = 0; i < 100'000; ++i) {
    Octets noise = random.octets(random.below(40));
    if (!noise.empty()) noise[0] = 0;
    if (noise.size() > 1) noise[1] = static_cast<std::uint8_t>(noise[1] % 48);
    const Read read = soup::read(noise);
    if (read.status != ReadStatus::packet) continue;
    ASSERT_LE(read.size, noise.size());
    ASSERT_EQ(read.payload.size() + sizeof(Header), read.size);
    ASSERT_EQ(read.payload.data(), noise.data() + sizeof(Header));
  }
}

}  // namespace
}  // namespace crosswire::wire::soup
