/** A module and not a `.lua` file, so that it is in the package wherever and however that is built. */
export const TAKE = `
--[[
  Takes the next epoch of a producer, max(stored + 1, the time of this Redis in ms), and the lease with it.

  The holder keeps the lease until it releases it: nothing expires. Another one takes it if it may take over, or if the
  holder has stood still for as long as the taker has watched it, which the taker says by naming what it saw.
  Called again after a lost reply it gives the holder the same epoch again.

  KEYS[1]  hash of the producer: epoch, holder, renewal, incarnation, host; may be missing
  ARGV[1]  holder: id of whoever takes it, unique to the process and its incarnation
  ARGV[2]  incarnation
  ARGV[3]  host name
  ARGV[4]  '1' to take it from a live holder
  ARGV[5]  id of a holder that has stood still, or ''
  ARGV[6]  its renewal number, or ''

  Returns {1, epoch} taken; {2, holder, renewal, host} held; {3, what is stored} if that is no number below 2^53 - 1.
  Numbers are texts, printed by %.0f: tostring, .. and cjson round to 14 digits.
]]
local held = redis.call('HMGET', KEYS[1], 'epoch', 'holder', 'renewal', 'host')
local stored, holder, renewal = held[1] or '0', held[2] or '', held[3] or '0'
local last = tonumber(stored)
if last == nil or last < 0 or last >= 9007199254740990 or last ~= math.floor(last) then
  return {3, stored}
end
if holder == ARGV[1] then
  return {1, string.format('%.0f', last)}
end
if holder ~= '' and ARGV[4] ~= '1' and not (holder == ARGV[5] and renewal == ARGV[6]) then
  return {2, holder, renewal, held[4] or ''}
end
local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = string.format('%.0f', math.max(last + 1, ms))
redis.call('HSET', KEYS[1], 'epoch', epoch, 'holder', ARGV[1], 'renewal', '0', 'incarnation', ARGV[2], 'host', ARGV[3])
return {1, epoch}
`

/** What `TAKE` returns first, by number. */
export const TAKE_ANSWERS = { 1: 'taken', 2: 'held', 3: 'damaged' } as const
