/**
 * Gives up the record if it is still this owner's.
 *
 * KEYS[1]  `tandem:{group/topic/partition}:p`
 * ARGV[1]  owner
 * ARGV[2]  token, decimal
 * ARGV[3]  for whom it is kept; empty for anybody
 *
 * Returns 1 if it was given up, 0 if it was another's already, or is of another format. Token and position stay.
 */
export const RELEASE = `
local held = redis.call('HMGET', KEYS[1], 'owner', 'token', 'v')
if held[1] ~= ARGV[1] or held[2] ~= ARGV[2] or held[3] ~= '1' then return 0 end
redis.call('HSET', KEYS[1], 'owner', '', 'want', '', 'keptFor', ARGV[3])
return 1
`
