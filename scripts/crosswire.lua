-- Wireshark and tshark: reads what crosswire speaks on its default ports (docs/protocol.md).
--   tshark -X lua_script:scripts/crosswire.lua -r out.pcap
-- Order entry over UDP mixes SoupBinTCP and MoldUDP64 packets on one port, so Wireshark's own moldudp64 dissector calls
-- logins malformed there. This one tells them apart, names OUCH 5.0 and ITCH 5.0 messages, and marks what lies.

local ORDERS, FEED, REQUESTS = 26400, 26477, 26478

local SOUP = {A = "Login Accepted", J = "Login Rejected", L = "Login Request", R = "Client Heartbeat", O = "Logout Request"}
local OUCH_IN = {O = "Enter Order", U = "Replace Order", X = "Cancel Order", M = "Modify Order", Q = "Account Query",
  C = "Mass Cancel", D = "Disable Order Entry", E = "Enable Order Entry"}
local OUCH_OUT = {S = "System Event", A = "Accepted", U = "Replaced", C = "Canceled", D = "AIQ Canceled", E = "Executed",
  B = "Broken Trade", J = "Rejected", P = "Cancel Pending", I = "Cancel Reject", T = "Priority Update", M = "Modified",
  R = "Restated", X = "Mass Cancel Response", G = "Disable Response", K = "Enable Response", Q = "Account Query Response"}
local ITCH = {S = "System Event", R = "Stock Directory", H = "Trading Action", A = "Add Order", F = "Add Order MPID",
  E = "Order Executed", C = "Order Executed With Price", X = "Order Cancel", D = "Order Delete", U = "Order Replace",
  P = "Trade", Q = "Cross Trade", I = "Net Order Imbalance"}

local proto = Proto("crosswire", "crosswire")
local packet_type = ProtoField.string("crosswire.packet", "SoupBinTCP packet")
local message_type = ProtoField.string("crosswire.message", "Message")
local session = ProtoField.string("crosswire.session", "Session")
local sequence = ProtoField.string("crosswire.sequence", "Next sequence number")
local user = ProtoField.string("crosswire.user", "User")
local number = ProtoField.uint64("crosswire.number", "First message number")
local count_field = ProtoField.uint16("crosswire.count", "Messages")
proto.fields = {packet_type, message_type, session, sequence, user, number, count_field}
local lies = ProtoExpert.new("crosswire.lies", "Blocks do not fill the packet", expert.group.MALFORMED, expert.severity.ERROR)
local unknown = ProtoExpert.new("crosswire.unknown", "Unknown message", expert.group.UNDECODED, expert.severity.WARN)
proto.experts = {lies, unknown}

local function soup(buf, pinfo, tree)
  local letter = buf(2, 1):string()
  local name = SOUP[letter] or ("packet " .. letter)
  pinfo.cols.protocol = "SoupBinTCP"
  pinfo.cols.info = name
  local branch = tree:add(proto, buf(), "crosswire order entry, " .. name)
  branch:add(packet_type, buf(2, 1), name)
  if letter == "A" and buf:len() >= 33 then
    branch:add(session, buf(3, 10))
    branch:add(sequence, buf(13, 20))
  elseif letter == "L" and buf:len() >= 49 then
    branch:add(user, buf(3, 6))
  end
end

local function messages(buf, pinfo, tree, names)
  pinfo.cols.protocol = "MoldUDP64"
  local branch = tree:add(proto, buf(), "MoldUDP64")
  if buf:len() < 20 then
    branch:add_proto_expert_info(lies)
    return
  end
  local count, at, list = buf(18, 2):uint(), 20, {}
  branch:add(session, buf(0, 10))
  branch:add(number, buf(10, 8))
  branch:add(count_field, buf(18, 2))
  local first = buf(10, 8):uint64():tonumber()
  if count == 0xFFFF then
    pinfo.cols.info = string.format("End of session, next is %d", first)
  elseif count == 0 then
    pinfo.cols.info = string.format("Heartbeat, next is %d", first)
  elseif buf:len() == 20 then
    pinfo.cols.info = string.format("Request for %d from %d", count, first)
  else
    while #list < count and at + 2 <= buf:len() do
      local length = buf(at, 2):uint()
      if length == 0 or at + 2 + length > buf:len() then break end
      local letter = buf(at + 2, 1):string()
      local name = names[letter] or ("unknown " .. letter)
      local item = branch:add(message_type, buf(at + 2, length), name)
      if not names[letter] then item:add_proto_expert_info(unknown) end
      list[#list + 1] = name
      at = at + 2 + length
    end
    if #list < count or at ~= buf:len() then branch:add_proto_expert_info(lies) end
    pinfo.cols.info = string.format("%d: %s", first, table.concat(list, ", "))
  end
end

function proto.dissector(buf, pinfo, tree)
  if buf:len() < 3 then return 0 end
  if pinfo.src_port == FEED or pinfo.dst_port == FEED or pinfo.src_port == REQUESTS or pinfo.dst_port == REQUESTS then
    messages(buf, pinfo, tree, ITCH)
  elseif buf(0, 1):uint() == 0 then
    soup(buf, pinfo, tree)
  else
    messages(buf, pinfo, tree, pinfo.src_port == ORDERS and OUCH_OUT or OUCH_IN)
  end
  return buf:len()
end

local ports = DissectorTable.get("udp.port")
for _, port in ipairs({ORDERS, FEED, REQUESTS}) do ports:add(port, proto) end
