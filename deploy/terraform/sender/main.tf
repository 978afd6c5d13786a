# A further account or region: once for each, with a provider that is there (docs/feed.md).

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "The name of the stack."
  type        = string
  default     = "hyperpod-state-sender"
}

variable "hub_bus_arn" {
  description = "The output senders_bus_arn of the feed."
  type        = string
}

variable "alarm_topic_arn" {
  description = "The SNS topic, in this region, that the alarm is sent to."
  type        = string
  default     = ""
}

resource "aws_cloudformation_stack" "sender" {
  # checkov:skip=CKV_AWS_124: a stack changes when somebody runs Terraform, which tells them
  name          = var.name
  template_body = file("${path.module}/../../cloudformation/sender.yaml")
  capabilities  = ["CAPABILITY_IAM"]

  parameters = {
    HubBusArn     = var.hub_bus_arn
    AlarmTopicArn = var.alarm_topic_arn
  }
}
