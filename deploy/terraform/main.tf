# The feed for those who live in Terraform: the same templates, as stacks, so that there is one description of it.
# docs/feed.md leads through it; `make feed-function` builds what function_zip names.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

resource "aws_s3_object" "function" {
  bucket = var.code_bucket
  key    = "hyperpod-state/${basename(var.function_zip)}" # has a part of the zip's hash
  source = var.function_zip
}

resource "aws_cloudformation_stack" "feed" {
  # checkov:skip=CKV_AWS_124: a stack changes when somebody runs Terraform, which tells them
  name          = var.name
  template_body = file("${path.module}/../cloudformation/feed.yaml")
  capabilities  = ["CAPABILITY_IAM"]

  parameters = {
    SenderAccounts     = join(",", var.sender_accounts)
    SenderOrganization = var.sender_organization
    ArchiveDays        = var.archive_days
    AlarmTopicArn      = var.alarm_topic_arn
  }
}

resource "aws_cloudformation_stack" "to_kafka" {
  # checkov:skip=CKV_AWS_124: a stack changes when somebody runs Terraform, which tells them
  name          = "${var.name}-to-kafka"
  template_body = file("${path.module}/../cloudformation/to-kafka.yaml")
  capabilities  = ["CAPABILITY_IAM"]

  parameters = {
    FeedStack           = aws_cloudformation_stack.feed.name
    BootstrapServers    = var.bootstrap_servers
    MskClusterArn       = var.msk_cluster_arn
    RawTopic            = var.raw_topic
    SubnetIds           = join(",", var.subnet_ids)
    SecurityGroupIds    = join(",", var.security_group_ids)
    CodeBucket          = aws_s3_object.function.bucket
    CodeKey             = aws_s3_object.function.key
    BatchSize           = var.batch_size
    BatchWindow         = var.batch_window
    FunctionConcurrency = var.function_concurrency
    AlarmTopicArn       = var.alarm_topic_arn
  }
}
