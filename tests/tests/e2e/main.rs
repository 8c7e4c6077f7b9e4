//! Stories told by the shipped programs, on real pictures.

mod backup;
mod bad_input;
mod changes;
mod city;
mod clumsy;
mod deadlines;
mod districts;
mod harvest;
mod intake;
mod looking_back;
mod main_job;
mod people;
mod replica;
mod responsibilities;
mod tus;
mod two_servers;
mod webhooks;
