variable "name" {
  description = "The name of feed.yaml's stack; all others begin with it."
  type        = string
  default     = "hyperpod-state"
}

variable "function_zip" {
  description = "What `make feed-function` wrote, such as dist/hyperpod-state-feed-0123456789ab.zip."
  type        = string
}

variable "code_bucket" {
  description = "A bucket of this region that Lambda may read the function from."
  type        = string
}

variable "bootstrap_servers" {
  description = "Kafka's brokers, host:port, comma-separated; of MSK with IAM the port is 9098."
  type        = string
}

variable "msk_cluster_arn" {
  description = "The MSK cluster, for a login by IAM; empty: TLS without a login."
  type        = string
  default     = ""
}

variable "raw_topic" {
  description = "The topic that the worker reads."
  type        = string
  default     = "hyperpod.events.raw"
}

variable "subnet_ids" {
  description = "Subnets from which the brokers can be reached."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Security groups of the function, which the brokers' group lets in."
  type        = list(string)
}

variable "batch_size" {
  description = "Messages of one call of the function; more than 10 need a batch_window of 1 or more."
  type        = number
  default     = 10
}

variable "batch_window" {
  description = "Seconds that a batch is waited for; with 1 or more an event of a quiet fleet may wait for 20."
  type        = number
  default     = 0
}

variable "function_concurrency" {
  description = "Calls at once, of the account's own limit; 0: no bound, for accounts with a small one."
  type        = number
  default     = 5
}

variable "sender_accounts" {
  description = "Accounts that may send their events here (sender/); this one too, for its other regions."
  type        = list(string)
  default     = []
}

variable "sender_organization" {
  description = "Or the organization (o-...) whose accounts may."
  type        = string
  default     = ""
}

variable "archive_days" {
  description = "How long events are kept for a replay."
  type        = number
  default     = 30
}

variable "alarm_topic_arn" {
  description = "The SNS topic, in this region, that alarms are sent to."
  type        = string
  default     = ""
}
