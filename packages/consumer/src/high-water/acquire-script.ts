/**
 * Takes the record of one (group, topic, partition).
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`, a hash; may be missing
 * ARGV[1]  owner: random id of the claimant
 * ARGV[2]  greatest token the claimant has seen, decimal
 *
 * Returns the whole hash (field, value, …) after the change; of a hash of another format only `v`, and nothing is
 * changed. The token becomes the greatest of: the previous one plus
 * one, the time of this Redis in µs, the greatest seen plus one. `birth` (ms) is set if it is missing.
 * Numbers are written with %.0f: Lua's own conversion keeps 14 digits.
 * The claimant that holds it already, under a token that it has not seen, keeps that one: an attempt that was given up
 * may be carried out after the one that followed it, and must not fence that off.
 */
export const ACQUIRE = `
local held = redis.call('HMGET', KEYS[1], 'token', 'birth', 'rev', 'v', 'owner')
if held[4] and held[4] ~= '1' then
  return {'v', held[4]}
end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local seen = tonumber(ARGV[2])
local token = tonumber(held[1]) or 0
if held[5] ~= ARGV[1] or token <= seen then
  token = math.max(token + 1, micros, seen + 1)
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'token', string.format('%.0f', token), 'v', '1')
if not held[2] then
  redis.call('HSET', KEYS[1], 'birth', string.format('%.0f', math.floor(micros / 1000)))
end
if not held[3] then
  redis.call('HSET', KEYS[1], 'rev', '0')
end
return redis.call('HGETALL', KEYS[1])
`
