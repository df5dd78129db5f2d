export const RENEW = `
--[[
  Shows that the holder of an epoch is alive, by a number that grows.

  A Redis that lost what it knew (emptied, fallen back) learns it again: the greatest epoch wins.
  Called again after a lost reply, or late, it changes nothing.

  KEYS[1]  hash of the producer, as in take-1
  ARGV[1]  holder
  ARGV[2]  number of this renewal: one above the last one sent
  ARGV[3]  epoch
  ARGV[4]  incarnation
  ARGV[5]  host name

  Returns {1} renewed; {2, host} if somebody took a greater epoch, or this one; {3, what is stored} if that is no number.
]]
local held = redis.call('HMGET', KEYS[1], 'epoch', 'holder', 'renewal', 'host')
local stored, holder, renewal = held[1] or '0', held[2] or '', tonumber(held[3]) or 0
local last, epoch = tonumber(stored), tonumber(ARGV[3])
if last == nil or last ~= last then
  return {3, stored}
end
if last > epoch or (last == epoch and holder ~= '' and holder ~= ARGV[1]) then
  return {2, held[4] or ''}
end
if holder ~= ARGV[1] or renewal < tonumber(ARGV[2]) then
  redis.call('HSET', KEYS[1],
    'epoch', ARGV[3], 'holder', ARGV[1], 'renewal', ARGV[2], 'incarnation', ARGV[4], 'host', ARGV[5])
end
return {1}
`

/** What `RENEW` returns first, by number. */
export const RENEW_ANSWERS = { 1: 'renewed', 2: 'taken', 3: 'damaged' } as const
