-- What the owner's pages need: words, looks, reading habits, drafts, lists, filters, search, trust.

-- Words and looks
ALTER TABLE owner ADD COLUMN language TEXT NOT NULL DEFAULT '';    -- '' = as the browser asks

-- Home, lists, hashtags, filters

-- Notifications and strangers

-- Writing: drafts, what waits for its time

-- Search

-- Messages

-- Trust: who somebody is

-- Push
