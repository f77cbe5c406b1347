"""Schedules checks and turns a crash into a diagnostic."""
