-- Working table: the browser in which a person wants to be told (Web Push), one a device. Deliveries to it go by its id.
-- One that has ended stays, without its address and keys, for what was sent to it.
CREATE TABLE push_subscription (
    id BYTEA PRIMARY KEY NOT NULL,
    account BYTEA NOT NULL,
    device BYTEA NOT NULL,
    endpoint TEXT NOT NULL,
    client_key BYTEA NOT NULL,
    auth BYTEA NOT NULL,
    created_ms BIGINT NOT NULL,
    ended_ms BIGINT,
    ended_why TEXT
);
CREATE INDEX push_subscription_by_account ON push_subscription (account, ended_ms);
CREATE INDEX push_subscription_by_device ON push_subscription (device, ended_ms);
CREATE INDEX push_subscription_by_endpoint ON push_subscription (endpoint);
CREATE INDEX delivery_by_state ON delivery (state, next_ms);
