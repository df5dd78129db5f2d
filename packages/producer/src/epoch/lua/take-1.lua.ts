/** A module and not a `.lua` file, so that it is in the package wherever and however that is built. */
export const TAKE = `
--[[
  Takes the next epoch of a producer: max(stored + 1, the time of this Redis in ms).

  Called again after a lost reply it takes another, greater one: a number is wasted, nothing is wrong.

  KEYS[1]  hash of the producer: epoch, incarnation, host; a lease on the producerId will live beside them
  ARGV[1]  incarnation
  ARGV[2]  host name of whoever takes it

  Returns the epoch as text; or the text that is stored, behind a minus sign, if that is no number below 2^53 - 1.
  Numbers are printed by %.0f: tostring, .. and cjson round to 14 digits.
]]
local stored = redis.call('HGET', KEYS[1], 'epoch') or '0'
local last = tonumber(stored)
if last == nil or last < 0 or last >= 9007199254740990 or last ~= math.floor(last) then
  return '-' .. stored
end
local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local epoch = string.format('%.0f', math.max(last + 1, ms))
redis.call('HSET', KEYS[1], 'epoch', epoch, 'incarnation', ARGV[1], 'host', ARGV[2])
return epoch
`
