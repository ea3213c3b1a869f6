-- Run once, by the first start of Postgres: one database for Feast's registry, one for MLflow.
CREATE DATABASE feast;
CREATE DATABASE mlflow;
