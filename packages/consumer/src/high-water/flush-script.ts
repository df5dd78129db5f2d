/**
 * Stores what changed of one position, or all of it.
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`, a hash; may be missing
 * ARGV[1]  owner
 * ARGV[2]  token, decimal
 * ARGV[3]  number of this flush, decimal
 * ARGV[4]  last number that was confirmed, decimal
 * ARGV[5]  '1' if the fields are the whole position
 * ARGV[6]  birth of the group in ms, set if the hash has none
 * ARGV[7…] field, value, …
 *
 * Where the token is a greater one than is there, the lease begins anew: marks are taken away.
 *
 * Returns 1 flushed (or the same number was executed already), 2 stale, 3 behind: send the whole, 4 fenced; {5, v} for a
 * hash of another format, of which nothing is changed.
 * Comparisons are of numbers below 2^53, which Lua's doubles hold exactly; what is stored is the text that was sent.
 */
export const FLUSH = `
local owner, token, number, confirmed = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local whole = ARGV[5] == '1'
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'rev', 'birth', 'v')
local heldToken, heldNumber = tonumber(held[2]), tonumber(held[3]) or 0
if heldToken and (token < heldToken or (token == heldToken and owner ~= held[1])) then
  return 4
elseif held[5] and held[5] ~= '1' then
  return {5, held[5]}
elseif not heldToken or token > heldToken then
  if not whole then return 3 end
elseif number == heldNumber then
  return 1
elseif number < heldNumber then
  return 2
elseif heldNumber < confirmed and not whole then
  return 3
end
if whole then
  local fields = redis.call('HKEYS', KEYS[1])
  for _, field in ipairs(fields) do
    local kind = string.sub(field, 1, 2)
    if kind == 'f:' or kind == 's:' then redis.call('HDEL', KEYS[1], field) end
  end
end
if not held[4] then
  redis.call('HSET', KEYS[1], 'birth', ARGV[6])
end
if heldToken ~= token then
  redis.call('HSET', KEYS[1], 'beat', '0', 'want', '', 'keptFor', '')
end
redis.call('HSET', KEYS[1], 'owner', owner, 'token', ARGV[2], 'rev', ARGV[3], 'v', '1')
for i = 7, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
`

/** What `FLUSH` returns, by number. */
export const FLUSH_ANSWERS = { 1: 'flushed', 2: 'stale', 3: 'behind', 4: 'fenced' } as const
