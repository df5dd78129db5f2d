/**
 * Takes the record of one (group, topic, partition), if its lease is as it was seen.
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`, a hash; may be missing
 * ARGV[1]  owner: random id of the claimant
 * ARGV[2]  greatest token the claimant has seen, decimal
 * ARGV[3…6] owner, token, rev and beat as the claimant saw them; empty and 0 where there was no record
 *
 * Returns {1, hash (field, value, …) after the change}; {2, owner, token, rev, beat, want, keptFor} if the lease is
 * another one, and nothing is changed; {3, v} for a hash of another format. The token becomes the greatest of: the
 * previous one plus one, the time of this Redis in µs, the greatest seen plus one. `birth` (ms) is set if it is missing.
 * Numbers are written with %.0f: Lua's own conversion keeps 14 digits.
 * Carried out again, or late, it finds another lease than was seen.
 */
export const ACQUIRE = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'rev', 'beat', 'want', 'keptFor', 'v', 'birth')
if held[7] and held[7] ~= '1' then
  return {3, held[7]}
end
local token = tonumber(held[2] or '0')
local same = (held[1] or '') == ARGV[3] and token == tonumber(ARGV[4])
  and tonumber(held[3] or '0') == tonumber(ARGV[5]) and tonumber(held[4] or '0') == tonumber(ARGV[6])
if not same then
  return {2, held[1] or '', held[2] or '0', held[3] or '0', held[4] or '0', held[5] or '', held[6] or ''}
end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
token = math.max(token + 1, micros, tonumber(ARGV[2]) + 1)
redis.call('HSET', KEYS[1],
  'owner', ARGV[1], 'token', string.format('%.0f', token), 'beat', '0', 'want', '', 'keptFor', '', 'v', '1')
if not held[8] then
  redis.call('HSET', KEYS[1], 'birth', string.format('%.0f', math.floor(micros / 1000)))
end
if not held[3] then
  redis.call('HSET', KEYS[1], 'rev', '0')
end
return {1, redis.call('HGETALL', KEYS[1])}
`
