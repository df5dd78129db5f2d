/**
 * Shows that the holder of a lease is alive, by a number that grows.
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`, a hash; may be missing
 * ARGV[1]  owner
 * ARGV[2]  token, decimal
 * ARGV[3]  number of this renewal, decimal
 *
 * Returns {1, want, rev} renewed; {2, owner, token, rev, beat, want, keptFor} if there is no record, or one with a lower
 * token; {3} if a greater token is there, or another owner; {4, v} for a hash of another format. Late, or again, it
 * changes nothing.
 */
export const RENEW = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'rev', 'beat', 'want', 'keptFor', 'v')
local token = tonumber(held[2] or '0')
if token > tonumber(ARGV[2]) or (token == tonumber(ARGV[2]) and held[1] ~= ARGV[1]) then
  return {3}
end
if held[7] and held[7] ~= '1' then
  return {4, held[7]}
end
if token < tonumber(ARGV[2]) then
  return {2, held[1] or '', held[2] or '0', held[3] or '0', held[4] or '0', held[5] or '', held[6] or ''}
end
if tonumber(held[4] or '0') < tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'beat', ARGV[3])
end
return {1, held[5] or '', held[3] or '0'}
`
